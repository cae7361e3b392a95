"""What a service says, made fit to be shown: short, printable, and without the key."""

import re

_LONGEST = 300
_SHARED = 6
_SHORTEST_KEY = 4
_WORD = re.compile(r"[^\s\"'`“”‘’,;()<>{}\[\]]+")
_MASKED = re.compile(r"\*{3}|•{3}|x{6}", re.IGNORECASE)
_GAP = "…"


def quoted(text: str, key: str) -> str:
    """The text in one line, cut short; words that have a part of the key in them are left out.

    Services repeat the key, or its ends with the middle masked, where they refuse it.
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: 20 * _LONGEST])
    plain = without_key(plain, key)
    plain = " ".join(_WORD.sub(lambda match: _word(match[0], key), plain).split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1].rstrip() + _GAP


def without_key(text: str, key: str) -> str:
    """The text with the key cut out of it; nothing where the key is too short to tell."""
    if not key or key not in text:
        return text
    return "" if len(key) < _SHORTEST_KEY else text.replace(key, _GAP)


def _word(word: str, key: str) -> str:
    if _MASKED.search(word):
        return _GAP
    folded, secret = word.casefold(), key.casefold()
    pieces = (secret[at : at + _SHARED] for at in range(len(secret) - _SHARED + 1))
    return _GAP if any(piece in folded for piece in pieces) else word
