"""What a message says, as plain records: a flat run of blocks, each knowing how deep it stands.

Lists and quotes are not nested records: every block inside them carries its `containers`, from the
outside in. So a block can be drawn, compared and replaced without looking at its neighbours, which
is what makes streaming cheap.
"""

from typing import Literal

import msgspec


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A run of text in one style. `formula` makes the text TeX; `link` is a checked address."""

    text: str
    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    formula: bool = False
    link: str = ""


Spans = tuple[Span, ...]
Alignment = Literal["left", "center", "right"]


TO_DO, DONE = "☐", "☑"
"""The markers of a list's items that are tasks."""


class Container(msgspec.Struct, frozen=True):
    """A quote or a list item around a block. `marker` is set on the item's first block only."""

    kind: Literal["quote", "bullet", "number"]
    marker: str = ""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """What all blocks share. `tight`: follows the block before it with no blank line, in a list."""

    containers: tuple[Container, ...] = ()
    tight: bool = False


class Paragraph(Block, frozen=True, tag=True):
    """`continues`: the next stretch of a paragraph too long to be laid out in one."""

    spans: Spans
    continues: bool = False


class Heading(Block, frozen=True, tag=True):
    level: int
    spans: Spans


class Code(Block, frozen=True, tag=True):
    """`language` is the first word of the fence's information, as written."""

    text: str
    language: str = ""


class Formula(Block, frozen=True, tag=True):
    """A displayed formula. `closed` is False when its end has not been written."""

    tex: str
    closed: bool = True


class Table(Block, frozen=True, tag=True):
    """A table, or a stretch of a long one: `header` is None where it `continues` the one before.

    `widths` are the columns' shares of the width; they add up to 1.
    """

    header: tuple[Spans, ...] | None
    rows: tuple[tuple[Spans, ...], ...]
    alignments: tuple[Alignment, ...]
    widths: tuple[float, ...]


class Rule(Block, frozen=True, tag=True):
    """A horizontal line."""
