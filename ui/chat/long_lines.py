"""Very long lines in a text document, kept quick.

Qt lays a paragraph out as a whole, at every key: one of a million characters takes seconds, and
minutes without a space in it. Such a line is therefore put in as several paragraphs, of which all
but the first are marked as joined to the one before. `plain_text` puts them together again.
"""

from collections.abc import Iterator, Sequence

from PySide6.QtGui import QTextBlockFormat, QTextCursor, QTextFormat

PIECE = 2000
"""Characters of a line that are laid out as one paragraph."""

_JOINED = QTextFormat.Property.UserProperty + 1


def insert_plain(cursor: QTextCursor, text: str, block_format: QTextBlockFormat) -> None:
    """Insert text as one undoable step; new paragraphs take the format."""
    lines = _normalised(text).split("\n")
    cursor.beginEditBlock()
    cursor.removeSelectedText()
    if max(map(len, lines)) <= PIECE and not _is_joined(cursor.blockFormat()):
        cursor.insertText("\n".join(lines))
    else:
        _insert_in_pieces(cursor, lines, block_format)
    cursor.endEditBlock()


def _insert_in_pieces(
    cursor: QTextCursor, lines: Sequence[str], block_format: QTextBlockFormat
) -> None:
    joined = QTextBlockFormat(block_format)
    joined.setProperty(_JOINED, True)
    for number, line in enumerate(lines):
        if number:
            cursor.insertBlock(block_format)
        for part, piece in enumerate(_pieces(line)):
            if part:
                cursor.insertBlock(joined)
            cursor.insertText(piece)


def plain_text(selection: QTextCursor) -> str:
    """The selected text, without the breaks that were put in."""
    parts: list[str] = []
    block = selection.document().findBlock(selection.selectionStart())
    for text in selection.selectedText().split("\u2029"):
        if parts and not _is_joined(block.blockFormat()):
            parts.append("\n")
        parts.append(text)
        block = block.next()
    return "".join(parts).replace("\u2028", "\n")


def _is_joined(block_format: QTextBlockFormat) -> bool:
    return bool(block_format.boolProperty(_JOINED))


def _normalised(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2029", "\n").replace("\0", "")


def _pieces(line: str) -> Iterator[str]:
    """Pieces of about `PIECE` characters, cut after a space where there is one."""
    start = 0
    while len(line) - start > PIECE:
        space = line.rfind(" ", start + PIECE // 2, start + PIECE)
        end = space + 1 if space >= 0 else start + PIECE
        yield line[start:end]
        start = end
    yield line[start:]
