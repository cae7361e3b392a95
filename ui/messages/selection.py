"""The text of a selection, as it was written rather than as it is drawn."""

from PySide6.QtGui import QTextBlock, QTextCursor, QTextDocument, QTextTable

from ui.messages.blocks import DONE, TO_DO, Block, Code, Table
from ui.messages.document import DocumentWriter
from ui.messages.formats import INLINE_CODE, SOURCE

_IMAGE = "\ufffc"
_SOURCES = {"•": "- ", TO_DO: "- [ ] ", DONE: "- [x] "}


def selected_text(cursor: QTextCursor, document: QTextDocument, writer: DocumentWriter) -> str:
    """What Ctrl+C copies: markers of lists, the source of formulas, tabs between cells."""
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    text = ""
    block = document.findBlock(start)
    before = QTextBlock()
    while block.isValid() and block.position() <= end:
        index = block.userState()
        if 0 <= index < len(writer.blocks):
            message_block = writer.blocks[index]
            spacer = isinstance(message_block, Table) and _table_of(block) is None
            if not spacer:
                if before.isValid():
                    text += _separator(before, block, writer)
                text += _prefix(block, start, message_block, writer)
                text += _characters(block, start, end)
                before = block
        block = block.next()
    return text


def _separator(before: QTextBlock, block: QTextBlock, writer: DocumentWriter) -> str:
    if before.userState() == block.userState():
        table = _table_of(block)
        if table is not None:
            return "\n" if table.cellAt(block.position()).column() == 0 else "\t"
        return "\n"
    below = writer.blocks[block.userState()]
    return "\n" if below.tight else "\n\n"


def _table_of(block: QTextBlock) -> QTextTable | None:
    # The stubs don't know that it may be None.
    table: QTextTable | None = QTextCursor(block).currentTable()
    return table


def _prefix(block: QTextBlock, start: int, message_block: Block, writer: DocumentWriter) -> str:
    first = block == writer.first_text_block(block.userState())
    if not first or start > block.position() or isinstance(message_block, Code):
        return ""
    words = ""
    for container in message_block.containers:
        if container.marker:
            words += _SOURCES.get(container.marker, f"{container.marker} ")
        elif container.kind != "quote":
            words += "  "
    return words


def _characters(block: QTextBlock, start: int, end: int) -> str:
    text = ""
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        iterator += 1
        first = max(start - fragment.position(), 0)
        last = min(end - fragment.position(), fragment.length())
        if first >= last:
            continue
        piece = fragment.text()[first:last]
        form = fragment.charFormat()
        if form.hasProperty(SOURCE):
            piece = piece.replace(_IMAGE, str(form.property(SOURCE)))
        elif form.hasProperty(INLINE_CODE):
            piece = piece.replace("\u202f", "").replace("\u00a0", " ")
        text += piece.replace("\u2028", "\n")
    return text
