"""Markdown as models write it, turned into blocks. What it says is not trusted; see `untrusted`."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from ui.messages.blocks import (
    DONE,
    TO_DO,
    Block,
    Code,
    Container,
    Formula,
    Heading,
    Paragraph,
    Rule,
    Table,
)
from ui.messages.grammar import parser
from ui.messages.spans import read_spans, stretches
from ui.messages.tables import column_widths, read_table
from ui.messages.untrusted import clean, without_direction

if TYPE_CHECKING:
    from markdown_it.token import Token

_TASKS = {"[ ] ": TO_DO, "[x] ": DONE, "[X] ": DONE}

LONG_TABLE = 40
"""Rows after which a table goes on as another block."""


class ListResume(msgspec.Struct, frozen=True):
    """Where a list was cut between two items: what the second part must know of the first."""

    number: int
    tight: bool


class TableResume(msgspec.Struct, frozen=True):
    """Where a table was cut between two rows: the source of its first two lines, and its widths."""

    head: str
    widths: tuple[float, ...]


Resume = ListResume | TableResume | None


class Seam(msgspec.Struct, frozen=True):
    """A place where the source can be cut so that both parts give the blocks of the whole.

    It lies before `line`, after `blocks` blocks, and holds once `firm` lines are complete.
    """

    line: int
    blocks: int
    firm: float
    resume: Resume = None


class Parsed(msgspec.Struct, frozen=True):
    blocks: list[Block]
    seams: list[Seam]


def blocks_of(text: str) -> list[Block]:
    """The blocks of a whole message."""
    return parse(clean(text.replace("\r\n", "\n").replace("\r", "\n"))).blocks


def parse(source: str, resume: Resume = None) -> Parsed:
    """Parse a source that has been cleaned; `resume` says that it starts inside a list or table."""
    markdown = parser()
    if isinstance(resume, TableResume):
        source = resume.head + source
    tokens: list[Token] = []
    markdown.block.parse(source, markdown, {}, tokens)
    return _Reader(source, resume).read(tokens)


class _OpenList:
    def __init__(self, ordered: bool, number: int) -> None:
        self.ordered = ordered
        self.number = number


class _OpenContainer:
    def __init__(self, kind: Literal["quote", "bullet", "number"], marker: str, line: int) -> None:
        self.kind = kind
        self.marker = marker
        self.line = line


class _Reader:
    """Walks the parser's tokens once and flattens them."""

    def __init__(self, source: str, resume: Resume) -> None:
        self._source = source
        self._list_resume = resume if isinstance(resume, ListResume) else None
        self._table_resume = resume if isinstance(resume, TableResume) else None
        self._head_lines = resume.head.count("\n") if isinstance(resume, TableResume) else 0
        self._blocks: list[Block] = []
        self._seams: list[Seam] = []
        self._containers: list[_OpenContainer] = []
        self._lists: list[_OpenList] = []
        self._items_in_list = 0
        self._in_list = False
        self._end = 0

    def read(self, tokens: Sequence["Token"]) -> Parsed:
        stream = iter(tokens)
        for token in stream:
            if token.level == 0 and token.nesting >= 0 and token.map and token.map[0] > 0:
                self._add_seam(token.map[0], _firm(token))
            self._take(token, stream)
        return Parsed(self._blocks, self._seams)

    def _take(self, token: "Token", stream: Iterator["Token"]) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(token)
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._open_item(token)
            case "blockquote_open":
                self._containers.append(_OpenContainer("quote", "", _start(token)))
            case "list_item_close" | "blockquote_close":
                if self._containers[-1].marker:
                    line = self._containers[-1].line
                    self._add(Paragraph(spans=()), line, line + 1)
                self._containers.pop()
            case "paragraph_open":
                self._add_paragraph(token, next(stream).content)
            case "heading_open":
                spans = read_spans(next(stream).content)
                self._add_token(Heading(level=int(token.tag[1]), spans=spans), token)
            case "fence" | "code_block":
                words = token.info.split()
                self._add_token(
                    Code(
                        text=without_direction(token.content.removesuffix("\n")),
                        language=words[0][:40] if words else "",
                    ),
                    token,
                )
            case "formula":
                self._add_token(Formula(tex=token.content, closed=token.meta["closed"]), token)
            case "hr":
                self._add_token(Rule(), token)
            case "table_open":
                self._add_table(token, stream)

    def _open_list(self, token: "Token") -> None:
        number = int(token.attrs.get("start", 1))
        if self._list_resume and not self._blocks and not self._lists:
            number = self._list_resume.number
        self._lists.append(_OpenList(token.type == "ordered_list_open", number))
        if len(self._lists) == 1:
            self._items_in_list = 0
            self._in_list = False

    def _open_item(self, token: "Token") -> None:
        line = _start(token)
        items = self._lists[-1]
        if token.level == 1:
            self._items_in_list += 1
        if token.level == 1 and self._items_in_list > 1:
            resume = ListResume(items.number, tight=line == self._end)
            self._add_seam(line, line + 2, resume)
        marker = f"{items.number}." if items.ordered else "•"
        self._containers.append(
            _OpenContainer("number" if items.ordered else "bullet", marker, line)
        )
        items.number += 1

    def _add_paragraph(self, token: "Token", content: str) -> None:
        if task := _TASKS.get(content[:4]):
            item = self._containers[-1] if self._containers else None
            if item is not None and item.marker == "•":
                item.marker, content = task, content[4:]
        for index, piece in enumerate(stretches(content)):
            self._add_token(Paragraph(spans=read_spans(piece), continues=index > 0), token)

    def _add_table(self, token: "Token", stream: Iterator["Token"]) -> None:
        """A long table becomes several: no stretch of it is costly to lay out, or to parse again."""
        alignments, cells = read_table(stream)
        rows = [tuple(read_spans(cell) for cell in row) for row in cells]
        resume, self._table_resume = self._table_resume, None
        header, rows = None if resume else rows[0], rows[1:]
        widths = resume.widths if resume else column_widths(cells)
        start = _start(token)
        if not resume:
            head = "".join(line + "\n" for line in self._source.split("\n")[start : start + 2])
            resume = TableResume(head, widths)
        for first in range(0, len(rows), LONG_TABLE) if rows else [0] if header else []:
            if first and token.level == 0:
                line = start + 2 + first
                self._add_seam(line, line + 2, resume)
            stretch = Table(
                header=None if first else header,
                rows=tuple(rows[first : first + LONG_TABLE]),
                alignments=alignments,
                widths=widths,
            )
            self._add_token(stretch, token)

    def _add_seam(self, line: int, firm: float, resume: Resume = None) -> None:
        shift = self._head_lines
        self._seams.append(Seam(line - shift, len(self._blocks), firm - shift, resume))

    def _add_token(self, block: Block, token: "Token") -> None:
        start, end = token.map or (0, 0)
        self._add(block, start, end)

    def _add(self, block: Block, start: int, end: int) -> None:
        """Put the block in its containers; the first block of an item takes the item's marker."""
        start = next((each.line for each in self._containers if each.marker), start)
        if self._list_resume and not self._blocks:
            tight = self._list_resume.tight
        else:
            tight = bool(self._lists) and self._in_list and start == self._end
        containers = tuple(Container(each.kind, each.marker) for each in self._containers)
        for each in self._containers:
            each.marker = ""
        self._in_list = bool(self._lists)
        self._end = end
        self._blocks.append(msgspec.structs.replace(block, containers=containers, tight=tight))


def _start(token: "Token") -> int:
    return token.map[0] if token.map else 0


def _firm(token: "Token") -> float:
    """How many lines must be complete before it is certain that a block starts at this token.

    One more than its first: a table shows itself by its second line only.
    """
    start, end = token.map or (0, 0)
    if token.type == "formula":
        return max(end, start + 2) if token.meta["closed"] else math.inf
    return start + 2
