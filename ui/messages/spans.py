"""The text of one paragraph, heading or cell: bold, links, code and formulas as spans."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QCoreApplication

from ui.messages.blocks import Span, Spans
from ui.messages.grammar import parser
from ui.messages.untrusted import safe_link, without_direction, without_piles

if TYPE_CHECKING:
    from markdown_it.token import Token

LONG_PARAGRAPH = 2_500
"""Characters after which a paragraph goes on as another block, so that none is costly to lay out."""

_BARE_LINK = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]]+[^\s<>\"'`|\\^{}\[\].,;:!?)*_]")


def stretches(text: str) -> Iterator[str]:
    """The text in stretches of at most `LONG_PARAGRAPH` characters, cut at a space where there is one."""
    start = 0
    while len(text) - start > LONG_PARAGRAPH:
        window = text[start : start + LONG_PARAGRAPH]
        cut = max(window.rfind(" "), window.rfind("\n")) + 1 or LONG_PARAGRAPH
        yield window[:cut]
        start += cut
    yield text[start:]


@lru_cache(maxsize=4096)
def read_spans(text: str) -> Spans:
    """The spans of one paragraph or cell. Cached, since while streaming most are asked for again."""
    markdown = parser()
    spans: list[Span] = []
    for piece in stretches(text):
        tokens: list[Token] = []
        markdown.inline.parse(piece, markdown, {}, tokens)
        spans.extend(_spans(tokens))
    return tuple(_joined(spans))


def _spans(tokens: Sequence["Token"]) -> Iterator[Span]:
    bold = italic = struck = 0
    link = ""
    for token in tokens:
        match token.type:
            case "strong_open" | "strong_close":
                bold += token.nesting
            case "em_open" | "em_close":
                italic += token.nesting
            case "s_open" | "s_close":
                struck += token.nesting
            case "link_open":
                link = safe_link(str(token.attrs.get("href", "")))
            case "link_close":
                link = ""
        text = _text(token)
        if not text:
            continue
        span = Span(
            text=text,
            bold=bold > 0,
            italic=italic > 0,
            struck=struck > 0,
            code=token.type == "code_inline",
            formula=token.type == "formula",
            link=safe_link(str(token.attrs.get("src", ""))) if token.type == "image" else link,
        )
        if token.type == "text" and not link:
            yield from _with_bare_links(span)
        else:
            yield span


def _text(token: "Token") -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            tr = QCoreApplication.translate
            words = token.content or tr("Messages", "no description")
            return tr("Messages", "image: {description}").format(description=words)
        case "code_inline":
            return without_direction(token.content)
        case "text" | "text_special" | "formula":
            return without_piles(token.content)
    return ""


def _with_bare_links(span: Span) -> Iterator[Span]:
    """The span, cut where an address stands in the plain text."""
    position = 0
    for match in _BARE_LINK.finditer(span.text):
        if address := safe_link(match[0]):
            yield msgspec.structs.replace(span, text=span.text[position : match.start()])
            yield msgspec.structs.replace(span, text=match[0], link=address)
            position = match.end()
    yield msgspec.structs.replace(span, text=span.text[position:])


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Neighbours in the same style as one span; empty ones are dropped."""
    held: Span | None = None
    for span in spans:
        if not span.text:
            continue
        if held is None:
            held = span
            continue
        alike = msgspec.structs.replace(span, text=held.text) == held
        if alike and not span.formula and not span.code:
            held = msgspec.structs.replace(held, text=held.text + span.text)
        else:
            yield held
            held = span
    if held:
        yield held
