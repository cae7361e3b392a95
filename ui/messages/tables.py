"""Tables in the parser's tokens: their cells, alignments and how wide the columns shall be."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ui.messages.blocks import Alignment

if TYPE_CHECKING:
    from markdown_it.token import Token

ROWS_MEASURED = 8
"""Rows that decide the widths; so these settle soon while a table streams."""

_NARROWEST, _WIDEST = 6, 48
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
    """The columns' shares of the width, by their longest text in the first rows."""
    measured = rows[: ROWS_MEASURED + 1]
    longest = [max(map(len, column)) for column in zip(*measured, strict=True)]
    weights = [min(max(length, _NARROWEST), _WIDEST) for length in longest]
    total = sum(weights)
    return tuple(weight / total for weight in weights)
