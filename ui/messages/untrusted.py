"""What a model wrote is not to be trusted: which characters and which links survive."""

import re
from urllib.parse import urlsplit

SAFE_SCHEMES = frozenset({"http", "https", "mailto"})

_BREAKS = {0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
# Qt marks frames, tables and images with these; a text that holds them would be torn apart.
_QT_OWN = dict.fromkeys((0xFFFC, *range(0xFDD0, 0xFDF0)), "\ufffd")
# Overrides show text in another order than it is in: a way to lie about code and links.
_OVERRIDES = {0x202D: None, 0x202E: None}
_LONE_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_CLEAN = {**_CONTROLS, **_BREAKS, **_QT_OWN, **_OVERRIDES, **_LONE_SURROGATES}
_DIRTY = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ufdd0-\ufdef\ufffc\ud800-\udfff]"
)

_DIRECTION = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILE_OF_MARKS = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")


def clean(text: str) -> str:
    """The text without control characters; each character is judged alone, so pieces can be."""
    return text.translate(_CLEAN) if _DIRTY.search(text) else text


def without_direction(text: str) -> str:
    """The text without invisible marks of writing direction, for code, where order is meaning."""
    return text if text.isascii() else text.translate(_DIRECTION)


def without_piles(text: str) -> str:
    """The text with at most four combining marks on a letter: more would cover the lines around."""
    return text if text.isascii() else _PILE_OF_MARKS.sub(r"\1", text)


def safe_link(address: str) -> str:
    """The address if it may be offered as a link, else an empty text."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in SAFE_SCHEMES or not (parts.netloc or parts.scheme == "mailto"):
        return ""
    return "" if any(ch.isspace() or not ch.isprintable() for ch in address) else address
