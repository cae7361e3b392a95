"""Tables in the parser's tokens: their cells, alignments and how wide the columns shall be."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ui.messages.blocks import Alignment

if TYPE_CHECKING:
    from markdown_it.token import Token

ROWS_MEASURED = 8
"""Rows that decide the widths; so these settle soon while a table streams."""

_NARROWEST, _WIDEST = 6, 48
_LONGEST_WORD = 16
_PADDING = 4  # characters: the space between columns, and what bold letters need more
_LINE = 80  # characters of a cell's size in a column of text of the usual width
_ALIGNMENTS: dict[str, Alignment] = {"text-align:center": "center", "text-align:right": "right"}


def read_table(stream: Iterable["Token"]) -> tuple[tuple[Alignment, ...], list[list[str]]]:
    """The alignments of the columns, and the source of each cell, the header's row first.

    Consumes the stream up to the table's end.
    """
    rows: list[list[str]] = []
    alignments: list[Alignment] = []
    for token in stream:
        match token.type:
            case "table_close":
                break
            case "tr_open":
                rows.append([])
            case "inline":
                rows[-1].append(token.content)
            case "th_open":
                alignments.append(_ALIGNMENTS.get(str(token.attrs.get("style")), "left"))
    return tuple(alignments), rows


def column_widths(rows: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """The columns' shares of the width, by their longest text in the first rows.

    Each has room for its longest word, if all have: a word torn in two reads badly.
    """
    columns = list(zip(*rows[: ROWS_MEASURED + 1], strict=True))
    weights = [min(max(*map(len, column), _NARROWEST), _WIDEST) for column in columns]
    least = [(_longest_word(column) + _PADDING) / _LINE for column in columns]
    spare = max(1 - sum(least), 0)
    wanted = [
        max(weight / sum(weights) - low, 0) for weight, low in zip(weights, least, strict=True)
    ]
    scale = spare / sum(wanted) if sum(wanted) else 0
    shares = [low + scale * more for low, more in zip(least, wanted, strict=True)]
    return tuple(share / sum(shares) for share in shares)


def _longest_word(column: Sequence[str]) -> int:
    words = (len(word) for cell in column for word in cell.split())
    return min(max(words, default=0), _LONGEST_WORD)
