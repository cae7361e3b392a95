"""Where a text spells control tokens, such as `<|im_end|>`."""

import re
from collections.abc import Iterator, Mapping

import msgspec


class ControlToken(msgspec.Struct, frozen=True):
    """`strips_left` and `strips_right`: it swallows the white space on that side."""

    id: int
    strips_left: bool = False
    strips_right: bool = False


class Spelled(msgspec.Struct, frozen=True):
    """A control token, and where it is spelled."""

    start: int
    end: int
    token: int


class ControlTokens:
    """All control tokens of a vocabulary by their texts."""

    def __init__(self, tokens: Mapping[str, ControlToken]) -> None:
        self._tokens = tokens
        lengths: dict[str, set[int]] = {}
        for text in tokens:
            lengths.setdefault(text[0], set()).add(len(text))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}
        self._firsts = re.compile(f"[{re.escape(''.join(lengths))}]") if lengths else None

    def spelled_in(self, text: str, plain: str) -> Iterator[Spelled]:
        """Those in a text, from left to right; of several at a place, the longest.

        `plain` is the same text without taint: white space is looked for there.
        """
        position = 0
        while self._firsts and (found := self._firsts.search(text, position)):
            start = found.start()
            position = start + 1
            for length in self._lengths[found[0]]:
                token = self._tokens.get(text[start : start + length])
                if token is not None:
                    position = start + length
                    yield self._with_space(token, start, position, plain)
                    break

    @staticmethod
    def _with_space(token: ControlToken, start: int, end: int, text: str) -> Spelled:
        if token.strips_left:
            start = len(text[:start].rstrip(_SPACE))
        if token.strips_right:
            end = len(text) - len(text[end:].lstrip(_SPACE))
        return Spelled(start, end, token.id)


_SPACE = " \t\n\r\f\v"
