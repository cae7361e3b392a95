"""Writes blocks into a QTextDocument and takes back what has changed, from the end."""

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QBrush,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextImageFormat,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)

from ui.messages.blocks import Block, Code, Formula, Heading, Paragraph, Rule, Span, Spans, Table
from ui.messages.code import Line, highlight
from ui.messages.formats import (
    CODE_PADDING,
    OUT,
    SOURCE,
    Formats,
    gap,
    indent,
)
from ui.messages.mathematics import FormulaImage, Formulas, FormulaStyle
from ui.theme import Theme

_NARROW_SPACE = "\u202f"
_NO_BREAK = "\u00a0"
_LINE_BREAK = "\u2028"
_UNBROKEN = 32

_ALIGNMENTS = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class DocumentWriter:
    """Keeps a document equal to a list of blocks.

    Every text block of the document carries the index of its message block as `userState`.

    Attributes:
        blocks: what the document shows.
        pending: formulas in it are still being drawn.
    """

    def __init__(
        self, theme: Theme, formats: Formats, formulas: Formulas, document: QTextDocument
    ) -> None:
        self._theme = theme
        self._formats = formats
        self._formulas = formulas
        self._document = document
        self._cursor = QTextCursor(document)
        self._starts: list[int] = []
        self._ends: list[QTextBlockFormat] = []
        self._lines: list[Line] = []
        self._ratio = 1.0
        self._first_pending: int | None = None
        self._empty = True
        self.blocks: list[Block] = []

    @property
    def pending(self) -> bool:
        return self._first_pending is not None

    def set_ratio(self, ratio: float) -> None:
        """Pixels of the screen per logical pixel, for the images of formulas."""
        self._ratio = ratio

    def first_text_block(self, index: int) -> QTextBlock:
        """The first text block of a message block."""
        return self._document.findBlock(self._starts[index])

    def last_text_block(self, index: int) -> QTextBlock:
        """The last text block of a message block."""
        if index + 1 < len(self._starts):
            return self._document.findBlock(self._starts[index + 1]).previous()
        return self._document.lastBlock()

    def show(self, blocks: list[Block], first_changed: int = 0) -> None:
        """Show these blocks, of which those before `first_changed` are shown already."""
        self._cursor.beginEditBlock()
        if not self._extend_code(blocks, first_changed):
            self._truncate(first_changed)
        for block in blocks[len(self.blocks) :]:
            self._append(block)
        self._cursor.endEditBlock()

    def show_drawn_formulas(self) -> None:
        """Write again from the first formula on that was pending."""
        if self._first_pending is not None:
            self.show(list(self.blocks), self._first_pending)

    def _truncate(self, count: int) -> None:
        if count >= len(self.blocks):
            return
        if count == 0:
            self._document.clear()
            self._empty = True
        else:
            self._cursor.setPosition(self._starts[count] - 1)
            self._cursor.movePosition(
                QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor
            )
            self._cursor.removeSelectedText()
            # Where the last block is empty, Qt gives it the format of what was removed.
            self._cursor.setBlockFormat(self._ends[count - 1])
            self._mark(count - 1)
        del self.blocks[count:], self._starts[count:], self._ends[count:]
        if self._first_pending is not None and self._first_pending >= count:
            self._first_pending = None

    def _append(self, block: Block) -> None:
        before = self.blocks[-1] if self.blocks else None
        if before is None:
            self._leave_room_above(block)
        self.blocks.append(block)
        match block:
            case Code():
                self._append_code(block, before)
            case Table():
                self._append_table(block, before)
            case Formula():
                self._new_text_block(self._formats.block(block, before), start=True)
                self._insert_formula(block.tex, None, closed=block.closed)
            case Heading():
                kind = "heading" if block.level <= 2 else "reading"
                self._new_text_block(self._formats.block(block, before), start=True)
                self._insert_spans(block.spans, kind, "text", bold=True)
            case Paragraph():
                quoted = any(each.kind == "quote" for each in block.containers)
                self._new_text_block(self._formats.block(block, before), start=True)
                self._insert_spans(block.spans, "reading", "text2" if quoted else "text")
            case Rule():
                self._new_text_block(self._formats.block(block, before), start=True)
        self._ends.append(self._cursor.blockFormat())

    def _leave_room_above(self, first: Block) -> None:
        """Qt drops the margin above the first text, where the header of a code block has to go."""
        root = self._document.rootFrame()
        form = root.frameFormat()
        form.setTopMargin(gap(first, None))
        root.setFrameFormat(form)

    def _new_text_block(self, form: QTextBlockFormat, *, start: bool = False) -> None:
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        plain = self._formats.char(Span(text=""))
        if self._empty:
            self._empty = False
            self._cursor.setBlockFormat(form)
            self._cursor.setBlockCharFormat(plain)
        else:
            self._cursor.insertBlock(form, plain)
        if start:
            self._starts.append(self._cursor.position())
        self._mark(len(self.blocks) - 1)

    def _mark(self, index: int) -> None:
        self._cursor.block().setUserState(index)

    def _insert_spans(self, spans: Spans, kind: str, role: str, *, bold: bool = False) -> None:
        for span in spans:
            if span.formula:
                self._insert_formula(span.text, self._formats.descent)
            elif span.code:
                self._insert_inline_code(span, kind, role)
            else:
                styled = Span(
                    text="",
                    bold=span.bold or bold,
                    italic=span.italic,
                    struck=span.struck,
                    link=span.link,
                )
                form = self._formats.char(styled, kind, role)
                self._cursor.insertText(span.text.replace("\n", _LINE_BREAK), form)

    def _insert_inline_code(self, span: Span, kind: str, role: str) -> None:
        text = span.text.replace("\n", " ")
        if len(text) <= _UNBROKEN:
            text = text.replace(" ", _NO_BREAK)
        form = self._formats.char(span, kind, role)
        self._cursor.insertText(f"{_NARROW_SPACE}{text}{_NARROW_SPACE}", form)

    def _insert_formula(self, tex: str, descent: int | None, *, closed: bool = True) -> None:
        size = self._formats.reading.pixelSize() * (1.15 if descent is None else 1.06)
        style = FormulaStyle(size, self._theme.color("text").name(), self._ratio, descent)
        found = self._formulas.find(tex, style) if closed else "bad"
        if isinstance(found, FormulaImage):
            self._insert_image(tex, found, inline=descent is not None)
            return
        if found == "pending" and self._first_pending is None:
            self._first_pending = len(self.blocks) - 1
        self._insert_inline_code(Span(text=tex, code=True), "reading", "text")

    def _insert_image(self, tex: str, formula: FormulaImage, *, inline: bool) -> None:
        name = f"formula:{formula.image.cacheKey()}"
        self._document.addResource(
            QTextDocument.ResourceType.ImageResource.value, QUrl(name), formula.image
        )
        form = QTextImageFormat()
        form.setName(name)
        form.setWidth(formula.width)
        form.setHeight(formula.height)
        # Qt lets an image reach as far below the baseline as the text of its font does.
        form.setFont(self._formats.font_reaching(formula.below))
        form.setProperty(SOURCE, f"${tex}$" if inline else f"$${tex}$$")
        if inline:
            form.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignBaseline)
        else:
            # Of the whole width: the rest is for the margins at both sides, which are in pixels.
            form.setMaximumWidth(QTextLength(QTextLength.Type.PercentageLength, 90))
        self._cursor.insertImage(form)

    def _append_code(self, block: Code, before: Block | None) -> None:
        self._lines = highlight(block.text, block.language)
        self._insert_lines(block, before, 0)

    def _extend_code(self, blocks: list[Block], index: int) -> bool:
        """Where only the last block changed, and is code that grew: write its new lines only."""
        if index != len(self.blocks) - 1 or index >= len(blocks):
            return False
        old, new = self.blocks[index], blocks[index]
        if not isinstance(old, Code) or not isinstance(new, Code):
            return False
        if old.language != new.language or old.containers != new.containers:
            return False
        lines = highlight(new.text, new.language)
        same = 0
        while same < min(len(lines), len(self._lines)) and lines[same] == self._lines[same]:
            same += 1
        # Always write the last line again: it carries the space below.
        same = min(same, len(lines) - 1, len(self._lines) - 1)
        if same == 0:
            return False
        before = blocks[index - 1] if index else None
        first = self.first_text_block(index).blockNumber() + same
        self._cursor.setPosition(self._document.findBlockByNumber(first).position() - 1)
        self._cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        self._cursor.removeSelectedText()
        self._lines = lines
        self._cursor.setBlockFormat(self._line_format(new, before, same - 1))
        self._mark(index)
        self._insert_lines(new, before, same)
        self.blocks[index] = new
        self._ends[index] = self._cursor.blockFormat()
        return True

    def _insert_lines(self, block: Code, before: Block | None, first: int) -> None:
        for number in range(first, len(self._lines)):
            form = self._line_format(block, before, number)
            self._new_text_block(form, start=number == 0)
            for text, role in self._lines[number]:
                self._cursor.insertText(text, self._formats.code(role))

    def _line_format(self, block: Code, before: Block | None, number: int) -> QTextBlockFormat:
        form = self._formats.block(block, before)
        if number > 0:
            form.setTopMargin(0)
        if number == len(self._lines) - 1:
            # Qt takes the larger of two margins: this one includes what the next block would ask.
            form.setBottomMargin(CODE_PADDING + 12)
        return form

    def _append_table(self, block: Table, before: Block | None) -> None:
        self._new_text_block(self._formats.spacer(block.containers), start=True)
        rows = (() if block.header is None else (block.header,)) + block.rows
        form = QTextTableFormat()
        form.setBorder(0)
        form.setCellSpacing(0)
        form.setCellPadding(0)
        form.setBorderCollapse(True)
        form.setLeftMargin(OUT + indent(block.containers))
        form.setRightMargin(OUT)
        form.setTopMargin(gap(block, before) if block.header is not None else 0)
        form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        form.setColumnWidthConstraints(
            [QTextLength(QTextLength.Type.PercentageLength, 100 * width) for width in block.widths]
        )
        table = self._cursor.insertTable(len(rows), len(block.widths), form)
        for row, cells in enumerate(rows):
            head = row == 0 and block.header is not None
            for column, spans in enumerate(cells):
                self._write_cell(table, row, column, spans, block, head=head)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._cursor.setBlockFormat(self._formats.spacer(block.containers))
        self._mark(len(self.blocks) - 1)

    def _write_cell(
        self, table: QTextTable, row: int, column: int, spans: Spans, block: Table, *, head: bool
    ) -> None:
        cell = table.cellAt(row, column)
        form = QTextTableCellFormat()
        form.setTopPadding(6)
        form.setBottomPadding(6)
        form.setRightPadding(12 if column < len(block.widths) - 1 else 0)
        form.setBottomBorder(1)
        form.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBottomBorderBrush(QBrush(self._theme.color("border" if head else "hairline")))
        cell.setFormat(form)
        text = QTextBlockFormat()
        text.setAlignment(_ALIGNMENTS[block.alignments[column]])
        text.setLineHeight(
            self._theme.line_height("body"),
            QTextBlockFormat.LineHeightTypes.MinimumHeight.value,
        )
        self._cursor = cell.firstCursorPosition()
        self._cursor.setBlockFormat(text)
        self._mark(len(self.blocks) - 1)
        self._insert_spans(spans, "body", "text", bold=head)
