"""How far two sequences of tokens agree."""

from collections.abc import Sequence

_STRIDE = 512


def common_length(one: Sequence[int], other: Sequence[int], most: int | None = None) -> int:
    """The number of tokens that both begin with, `most` at most."""
    end = min(len(one), len(other))
    if most is not None:
        end = min(end, most)
    start = 0
    # Whole strides are compared in C.
    while start < end and _part(one, start, end) == _part(other, start, end):
        start += _STRIDE
    for i in range(start, min(start + _STRIDE, end)):
        if one[i] != other[i]:
            return i
    return end


def _part(tokens: Sequence[int], start: int, end: int) -> list[int]:
    return list(tokens[start : min(start + _STRIDE, end)])
