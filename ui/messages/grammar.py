"""The Markdown that models write: CommonMark with tables, strike-through and formulas, without HTML."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

MAX_DEPTH = 24
"""Levels of quotes and lists (a list counts twice); what lies deeper is shown as it was written."""

_CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_CONTAINERS = ["paragraph", "reference", "blockquote", "list"]


@cache
def parser() -> "MarkdownIt":
    """The parser; made at the first message, since its import takes longer than a window's frame."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_DEPTH + 8})
    markdown.enable(["table", "strikethrough"])
    # A definition at the end would change text that was shown long before, and sources that a
    # model lists as "[1]: https://…" would vanish.
    markdown.disable("reference")
    markdown.block.ruler.before("table", "too_deep", _too_deep)
    markdown.block.ruler.before("fence", "formula", _formula_block, {"alt": _CONTAINERS})
    markdown.inline.ruler.before("escape", "formula", _formula_inline)
    return markdown


def _too_deep(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """Instead of dropping what is nested too deeply, as the parser would, keep it as a paragraph."""
    if state.level < MAX_DEPTH or silent:
        return False
    line = start
    while line < end and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent):
        line += 1
    state.line = line
    token = state.push("paragraph_open", "p", 1)
    token.map = [start, line]
    token = state.push("inline", "", 0)
    token.content = state.getLines(start, line, state.blkIndent, False).strip()
    token.map = [start, line]
    token.children = []
    state.push("paragraph_close", "p", -1)
    return True


def _formula_block(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    r"""`$$ … $$` or `\[ … \]` on lines of their own; as in TeX, no blank line may lie inside.

    One that has not been closed when the text ends is a formula too, in the making.
    """
    position = state.bMarks[start] + state.tShift[start]
    closer = _CLOSERS.get(state.src[position : position + 2], "")
    if state.is_code_block(start) or closer not in ("$$", "\\]"):
        return False
    content: list[str] = []
    closed = False
    line = start
    while line < end and not closed:
        if line > start and state.sCount[line] < state.blkIndent:
            break
        if state.isEmpty(line):
            return False
        begin = position + 2 if line == start else state.bMarks[line] + state.tShift[line]
        text = state.src[begin : state.eMarks[line]]
        text, found, rest = text.partition(closer)
        if found:
            if rest.strip() not in ("", ".", ",", ";", ":"):
                return False
            closed = True
            text += rest.strip()
        content.append(text)
        line += 1
    if silent:
        return True
    state.line = line
    token = state.push("formula", "", 0)
    token.content = "\n".join(content).strip()
    token.meta = {"closed": closed}
    token.map = [start, line]
    return True


def _formula_inline(state: "StateInline", silent: bool) -> bool:
    r"""`$…$`, `$$…$$`, `\(…\)` and `\[…\]` in a line.

    A dollar opens only before, and closes only after, something that is not a space, and does not
    close before a digit: "$5 and $10" are prices.
    """
    source, position = state.src, state.pos
    opener = source[position : position + 2]
    if opener in _CLOSERS:
        closer = _CLOSERS[opener]
    elif opener[:1] == "$" and not opener[1:].isspace():
        opener = closer = "$"
    else:
        return False
    begin = position + len(opener)
    end = source.find(closer, begin)
    if closer == "$":
        while end > 0 and (
            source[end - 1].isspace()
            or source[end - 1] == "\\"
            or source[end + 1 : end + 2].isdigit()
        ):
            end = source.find("$", end + 1)
    content = source[begin:end].strip() if end > 0 else ""
    if not content or "`" in content:
        return False
    state.pos = end + len(closer)
    if not silent:
        token = state.push("formula", "", 0)
        token.content = content
    return True
