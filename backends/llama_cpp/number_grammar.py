"""Grammars of JSON numbers within bounds."""

import math
from collections.abc import Iterator

MOST_DIGITS = 16
LARGEST = 10**MOST_DIGITS - 1
_LARGEST_WITH_FRACTION = 10**9 - 1
INTEGER = f'("0" | "-"? [1-9] [0-9]{{0,{MOST_DIGITS - 1}}})'
NUMBER = f'"-"? ("0" | [1-9] [0-9]{{0,{MOST_DIGITS - 1}}}) ("." [0-9]{{1,{MOST_DIGITS}}})? ([eE] [+-]? [0-9]{{1,2}})?'
_ZEROS = '("." "0"{1,4})?'
_FRACTION = '"." [0-9]{0,5} [1-9]'


def integers(low: int | None, high: int | None) -> list[str]:
    """Expressions for the whole numbers from `low` to `high`, both included; none if there are none.

    None: no bound but the number of digits.
    """
    low = -LARGEST if low is None else max(low, -LARGEST)
    high = LARGEST if high is None else min(high, LARGEST)
    found = [f'"-" {digits}' for digits in _naturals(max(1, -high), -low)]
    return found + list(_naturals(max(0, low), high))


def numbers(low: float | None, high: float | None, whole: list[str]) -> list[str]:
    """Numbers from `low` to `high`, of which those without a fraction are `whole` already."""
    found = [f"{expression} {_ZEROS}" for expression in whole]
    least = -_LARGEST_WITH_FRACTION if low is None else max(low, -_LARGEST_WITH_FRACTION)
    most = _LARGEST_WITH_FRACTION if high is None else min(high, _LARGEST_WITH_FRACTION)
    # With a fraction that is not 0, n.f lies between n and n + 1, and -n.f between -n - 1 and -n.
    above = _naturals(max(0, math.ceil(least)), math.floor(most) - 1)
    below = _naturals(max(0, math.ceil(-most)), math.floor(-least) - 1)
    found += [f"{digits} {_FRACTION}" for digits in above]
    found += [f'"-" {digits} {_FRACTION}' for digits in below]
    return found


def _naturals(low: int, high: int) -> Iterator[str]:
    while low <= high:
        longest = min(high, 10 ** len(str(low)) - 1)
        yield from _same_length(str(low), str(longest))
        low = longest + 1


def _same_length(low: str, high: str) -> Iterator[str]:
    """Digits from `low` to `high`, which are as long as each other."""
    if not low:
        yield ""
        return
    if set(low) <= {"0"} and set(high) <= {"9"}:
        yield f"[0-9]{{{len(low)}}}"
        return
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if first == last:
        for tail in _same_length(low[1:], high[1:]):
            yield f'"{first}" {tail}'.strip()
        return
    if low[1:].strip("0"):
        for tail in _same_length(low[1:], "9" * rest):
            yield f'"{first}" {tail}'
        first += 1
    partly = bool(high[1:].strip("9"))
    middle = last - partly
    if first <= middle:
        digits = f"[{first}-{middle}]"
        yield f"{digits} [0-9]{{{rest}}}" if rest else digits
    if partly:
        for tail in _same_length("0" * rest, high[1:]):
            yield f'"{last}" {tail}'
