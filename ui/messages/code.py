"""Code in colours, by Pygments. The work is cut into chunks, so that code may grow line by line."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

Line = tuple[tuple[str, str], ...]
"""Pieces of one line: their text, and the colour role of the theme."""

LONGEST = 60_000
"""Characters above which code stays plain."""

_LONGEST_LINE = 2_000
_CHUNK_LINES = 24
_FORCED_LINES = 40
_FORCED_STEP = 8

_ROLES = {
    "Token.Keyword": "syn_kw",
    "Token.Operator.Word": "syn_kw",
    "Token.Name.Tag": "syn_kw",
    "Token.Name.Function": "syn_fn",
    "Token.Name.Class": "syn_fn",
    "Token.Name.Attribute": "syn_fn",
    "Token.Literal.String": "syn_str",
    "Token.Literal.Number": "syn_num",
    "Token.Comment": "syn_com",
    "Token.Generic.Inserted": "ok",
    "Token.Generic.Deleted": "danger",
}
_SPANNING = ("syn_str", "syn_com")


def language_name(language: str) -> str:
    """The language as its header says it: "Python" for "py"; unknown ones as they were written."""
    lexer = _lexer(language)
    return str(lexer.name) if lexer else language


def highlight(text: str, language: str) -> list[Line]:
    """The lines of the text, coloured where the language is known.

    A longer text begins with the same lines as a shorter one, but for those of the last chunk.
    """
    lines = text.split("\n")
    plain = len(text) > LONGEST or any(len(line) > _LONGEST_LINE for line in lines)
    if plain or _lexer(language) is None:
        return [_plain(line) for line in lines]
    coloured: list[Line] = []
    *chunks, tail = _chunks(lines, language)
    for chunk in chunks:
        # Each ends with a line break, behind which the next one begins.
        coloured.extend(_coloured(chunk, language)[:-1])
    coloured.extend(_coloured(tail, language))
    return coloured


def _chunks(lines: list[str], language: str) -> Iterator[str]:
    """The text in chunks that start where no string or comment is open.

    Each cut depends only on the text before it and the line after it, never on what comes later.
    """
    start = 0
    for index in range(1, len(lines)):
        length = index - start
        natural = length >= _CHUNK_LINES and not lines[index - 1] and lines[index][:1].strip()
        forced = length >= _FORCED_LINES and length % _FORCED_STEP == 0
        # The last line may still grow into one that is indented.
        if (natural or forced) and index < len(lines) - 1:
            chunk = "\n".join(lines[start:index]) + "\n"
            if length >= 2 * _FORCED_LINES or not _ends_inside(chunk, language):
                yield chunk
                start = index
    yield "\n".join(lines[start:])


@lru_cache(maxsize=256)
def _coloured(chunk: str, language: str) -> tuple[Line, ...]:
    """The lines of a chunk."""
    lexer = _lexer(language)
    assert lexer is not None
    tokens = list(lexer.get_tokens(chunk))
    if "".join(text for _, text in tokens) != chunk:
        # Some lexers lose characters; the code itself matters more than its colours.
        return tuple(_plain(line) for line in chunk.split("\n"))
    lines: list[Line] = []
    line: list[tuple[str, str]] = []
    for token, text in tokens:
        role = _role(token)
        first, *rest = text.split("\n")
        if first:
            line.append((first, role))
        for piece in rest:
            lines.append(_joined(line))
            line = [(piece, role)] if piece else []
    return (*lines, _joined(line))


@lru_cache(maxsize=256)
def _ends_inside(chunk: str, language: str) -> bool:
    lexer = _lexer(language)
    assert lexer is not None
    tokens = list(lexer.get_tokens(chunk))
    return bool(tokens) and tokens[-1][1].endswith("\n") and _role(tokens[-1][0]) in _SPANNING


def _plain(line: str) -> Line:
    return ((line, "text"),) if line else ()


def _joined(pieces: list[tuple[str, str]]) -> Line:
    joined: list[tuple[str, str]] = []
    for text, role in pieces:
        if joined and joined[-1][1] == role:
            joined[-1] = (joined[-1][0] + text, role)
        else:
            joined.append((text, role))
    return tuple(joined)


@cache
def _role(token: "_TokenType") -> str:
    while token.parent is not None:
        if role := _ROLES.get(str(token)):
            return role
        token = token.parent
    return "text"


@lru_cache(maxsize=128)
def _lexer(language: str) -> "Lexer | None":
    """The lexer of that name; imported at the first code block, since it is not needed before."""
    if not language:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
