"""The card of a repository as it can be shown: no HTML, no pictures from afar, not endless."""

import re
from typing import NamedTuple

_LONGEST = 40_000
"""Characters. Cards are rendered on the main thread, and what is told comes first in them."""

_FENCE = re.compile(r"^(```|~~~)", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HIDDEN = re.compile(r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_IMAGE_TAG = re.compile(r"<img\b[^>]{0,2000}>", re.IGNORECASE)
_LINKED_IMAGE = re.compile(r"\[!\[[^\]]{0,300}\]\([^)]{0,2000}\)\]\([^)]{0,2000}\)")
_IMAGE = re.compile(r"!\[[^\]]{0,300}\]\([^)]{0,2000}\)")
_LINK_TAG = re.compile(
    r"<a\b[^>]{0,500}?href\s{0,9}=\s{0,9}[\"'](https?://[^\"'<>\s]{1,2000})[\"'][^>]{0,500}>(.{0,2000}?)</a\s*>",
    re.DOTALL | re.IGNORECASE,
)
_BREAK_TAG = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# Every span is bounded: a card of opening marks only would take minutes otherwise.
_BLANK = re.compile(r"\n\s*\n\s*\n+")


class ReadableCard(NamedTuple):
    """Markdown, and how many pictures were left out. `is_cut`: there was more of it."""

    text: str
    images: int
    is_cut: bool


def readable_card(card: str) -> ReadableCard:
    """Take out what would not be shown anyway; code blocks stay as they are."""
    is_cut = len(card) > _LONGEST
    pieces = _FENCE.split(card[:_LONGEST])
    images = 0
    shown: list[str] = []
    in_code = False
    for piece in pieces:
        if piece in ("```", "~~~"):
            in_code = not in_code
        elif not in_code:
            piece, found = _without_html(piece)
            images += found
        shown.append(piece)
    return ReadableCard(_BLANK.sub("\n\n", "".join(shown)).strip(), images, is_cut)


def _without_html(text: str) -> tuple[str, int]:
    images = 0
    text = _HIDDEN.sub("", _COMMENT.sub("", text))
    for pattern in (_LINKED_IMAGE, _IMAGE, _IMAGE_TAG):
        text, found = pattern.subn("", text)
        images += found
    text = _LINK_TAG.sub(r"[\2](\1)", text)
    text = _BREAK_TAG.sub("\n", text)
    return _TAG.sub("", text), images
