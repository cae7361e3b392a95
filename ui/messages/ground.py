"""What is painted behind a message's text: grounds of code, bars of quotes, markers of lists."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTextBlock, QTextDocument, QTextLine

from ui.icons import paint_icon
from ui.kit.painting import RADIUS, rounded
from ui.messages.blocks import DONE, TO_DO, Block, Code, Container, Rule
from ui.messages.code import language_name
from ui.messages.document import DocumentWriter
from ui.messages.formats import (
    CODE_HEADER,
    CODE_PADDING,
    INLINE_CODE,
    ITEM_INDENT,
    OUT,
    Formats,
    code_left,
    indent,
)
from ui.theme import Theme

_BAR = 3
_TASKS = {TO_DO: "square", DONE: "check-square"}
_TINY_RADIUS = 4


class CopyLabel(NamedTuple):
    """The words at the right of a code block's header."""

    text: str
    icon: str


class Words(NamedTuple):
    """What the headers of code blocks say."""

    copy: CopyLabel
    copied: CopyLabel
    unnamed: str


class GroundPainter:
    """Paints below the text of one document."""

    def __init__(
        self, theme: Theme, formats: Formats, writer: DocumentWriter, document: QTextDocument
    ) -> None:
        self._theme = theme
        self._formats = formats
        self._writer = writer
        self._document = document

    def paint(self, painter: QPainter, visible: QRectF, words: Words, copied: int) -> None:
        """Paint what shows in `visible`; the code block of index `copied` says so."""
        code_done = -1
        for block in self._blocks_in(visible):
            index = block.userState()
            if not 0 <= index < len(self._writer.blocks):
                continue
            message_block = self._writer.blocks[index]
            self._paint_bars(painter, block, message_block)
            if isinstance(message_block, Code):
                if index != code_done:
                    code_done = index
                    label = words.copied if index == copied else words.copy
                    self._paint_code(painter, index, message_block, label, words.unnamed)
                continue
            if isinstance(message_block, Rule):
                self._paint_rule(painter, block, OUT + indent(message_block.containers))
            if block == self._writer.first_text_block(index):
                self._paint_markers(painter, block, message_block)
            self._paint_inline_code(painter, block)

    def code_rect(self, index: int) -> QRectF:
        """The ground of a code block, header included."""
        layout = self._document.documentLayout()
        first = layout.blockBoundingRect(self._writer.first_text_block(index))
        last = layout.blockBoundingRect(self._writer.last_text_block(index))
        left = code_left(self._writer.blocks[index])
        top = round(first.top() - CODE_HEADER - CODE_PADDING)
        bottom = round(last.bottom() + CODE_PADDING)
        return QRectF(left, top, self._document.textWidth() - left, bottom - top)

    def copy_rect(self, index: int, label: CopyLabel) -> QRectF:
        """Where a click copies a code block."""
        rect = self.code_rect(index)
        metrics = QFontMetricsF(self._theme.font("smallmd"))
        width = metrics.horizontalAdvance(label.text) + 20 + 2 * OUT
        return QRectF(rect.right() - width, rect.top(), width, CODE_HEADER)

    def code_at(self, point: QPointF) -> int | None:
        """The index of the code block whose ground is there."""
        for block in self._blocks_in(QRectF(0, point.y() - 1, 1, CODE_HEADER + 2 * CODE_PADDING)):
            index = block.userState()
            if 0 <= index < len(self._writer.blocks) and isinstance(
                self._writer.blocks[index], Code
            ):
                return index if self.code_rect(index).contains(point) else None
        return None

    def caret_rect(self) -> QRectF:
        """Where the next character will stand."""
        if not self._writer.blocks:
            return QRectF(OUT, self._theme.line_height("reading") - 18, 8, 18)
        block = self._document.lastBlock()
        rect = self._document.documentLayout().blockBoundingRect(block)
        layout = block.layout()
        if layout.lineCount() == 0:
            return QRectF(rect.left(), rect.top(), 8, 18)
        line = layout.lineAt(layout.lineCount() - 1)
        x = _x_of(line, block.length() - 1)
        base = rect.top() + line.y() + line.ascent()
        return QRectF(rect.left() + x + 3, round(base - 14), 8, 18)

    def _blocks_in(self, visible: QRectF) -> Iterator[QTextBlock]:
        layout = self._document.documentLayout()
        position = layout.hitTest(visible.topLeft(), Qt.HitTestAccuracy.FuzzyHit)
        block = self._document.findBlock(max(position, 0)).previous()
        if not block.isValid():
            block = self._document.begin()
        while block.isValid():
            # A code block's header lies above its first line.
            if layout.blockBoundingRect(block).top() - CODE_HEADER > visible.bottom() + 64:
                return
            yield block
            block = block.next()

    def _paint_bars(self, painter: QPainter, block: QTextBlock, message_block: Block) -> None:
        if not any(each.kind == "quote" for each in message_block.containers):
            return
        layout = self._document.documentLayout()
        rect = layout.blockBoundingRect(block)
        top = rect.top()
        before = block.previous()
        shared = 0
        if before.isValid() and before.userState() >= 0:
            above = self._writer.blocks[before.userState()].containers
            shared = _shared_depth(above, message_block.containers)
        left = OUT
        for depth, container in enumerate(message_block.containers):
            if container.kind == "quote":
                start = layout.blockBoundingRect(before).bottom() if depth < shared else top
                bar = QRectF(left, start, _BAR, rect.bottom() - start)
                painter.fillRect(bar, self._theme.color("border"))
            left += ITEM_INDENT[container.kind]

    def _paint_code(
        self, painter: QPainter, index: int, code: Code, label: CopyLabel, unnamed: str
    ) -> None:
        color = self._theme.color
        rect = self.code_rect(index)
        sunken = "sunken" if self._formats.ground == "page" else "page"
        rounded(painter, rect, RADIUS, color(sunken), color("hairline"))
        header = QRectF(rect.left(), rect.top(), rect.width(), CODE_HEADER)
        painter.fillRect(
            QRectF(rect.left() + 1, header.bottom(), rect.width() - 2, 1), color("hairline")
        )
        painter.setFont(self._theme.font("smallmd"))
        painter.setPen(color("text2"))
        middle = Qt.AlignmentFlag.AlignVCenter
        words = header.adjusted(OUT, 0, -OUT, 0)
        painter.drawText(words, middle, language_name(code.language) or unnamed)
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, label.text)
        width = QFontMetricsF(painter.font()).horizontalAdvance(label.text)
        icon = QRectF(words.right() - width - 22, rect.top(), 16, CODE_HEADER)
        paint_icon(painter, label.icon, icon, 15, color("text2"))

    def _paint_rule(self, painter: QPainter, block: QTextBlock, left: int) -> None:
        top = self._document.documentLayout().blockBoundingRect(block).top()
        line = QRectF(left, round(top), self._document.textWidth() - OUT - left, 1)
        painter.fillRect(line, self._theme.color("border"))

    def _paint_markers(self, painter: QPainter, block: QTextBlock, message_block: Block) -> None:
        layout = block.layout()
        if layout.lineCount() == 0:
            return
        line = layout.lineAt(0)
        top = self._document.documentLayout().blockBoundingRect(block).top()
        base = top + line.y() + line.ascent()
        left = OUT
        for container in message_block.containers:
            width = ITEM_INDENT[container.kind]
            if container.marker == "•":
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._theme.color("text3"))
                painter.drawEllipse(QPointF(left + 5.5, base - 5), 2.5, 2.5)
            elif container.marker in _TASKS:
                icon = _TASKS[container.marker]
                box = QRectF(left - 1, base - 13, 16, 16)
                paint_icon(painter, icon, box, 16, self._theme.color("text2"))
            elif container.marker:
                painter.setFont(self._theme.font("reading", tabular=True))
                painter.setPen(self._theme.color("text2"))
                advance = QFontMetricsF(painter.font()).horizontalAdvance(container.marker)
                # Long numbers reach out to the left, so that all text keeps one edge.
                x = min(left, left + width - 6 - advance)
                painter.drawText(QPointF(x, base), container.marker)
            left += width

    def _paint_inline_code(self, painter: QPainter, block: QTextBlock) -> None:
        color = self._theme.color
        rect = self._document.documentLayout().blockBoundingRect(block)
        ground = color("sunken" if self._formats.ground == "page" else "page")
        for start, end in _inline_code_ranges(block):
            layout = block.layout()
            position = start
            while position < end:
                line = layout.lineForTextPosition(position)
                if not line.isValid():
                    break
                stop = min(end, line.textStart() + line.textLength())
                left, right = sorted((_x_of(line, position), _x_of(line, stop)))
                base = rect.top() + line.y() + line.ascent()
                pill = QRectF(rect.left() + left, round(base - 14), right - left, 19)
                rounded(painter, pill, _TINY_RADIUS, ground, color("hairline"))
                if stop <= position:
                    break
                position = stop


def _inline_code_ranges(block: QTextBlock) -> Iterator[tuple[int, int]]:
    """Neighbouring fragments of inline code as one range, in the block's own positions."""
    held: tuple[int, int] | None = None
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        iterator += 1
        if not fragment.charFormat().hasProperty(INLINE_CODE):
            continue
        start = fragment.position() - block.position()
        end = start + fragment.length()
        if held and held[1] == start:
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _x_of(line: QTextLine, position: int) -> float:
    """Pixels from the block's left edge to a position in a line."""
    # The stubs know only one of the two forms in which PySide6 returns it.
    x: Any = line.cursorToX(position)
    return float(x[0] if isinstance(x, tuple) else x)


def _shared_depth(above: tuple[Container, ...], below: tuple[Container, ...]) -> int:
    """How many containers two neighbours stand in together."""
    for depth, (first, second) in enumerate(zip(above, below, strict=False)):
        if first.kind != second.kind or second.marker:
            return depth
    return min(len(above), len(below))
