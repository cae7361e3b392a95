"""Grammars of the texts and numbers of a JSON schema."""

import math

from backends.llama_cpp.gbnf_rules import MOST_REPEATS, RuleBook, any_of, chars, literal, sequence
from backends.llama_cpp.number_grammar import INTEGER, NUMBER, integers, numbers
from backends.llama_cpp.pattern_grammar import string_of_pattern
from backends.llama_cpp.schema_nodes import Flat, Node, refuse

QUOTE = literal('"')
PLAIN_RANGES = ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0xD7FF), (0xE000, 0x10FFFF))
"""Characters that stand for themselves in a JSON string."""
_HEX = "[0-9A-Fa-f]"
_PLAIN = chars(PLAIN_RANGES)
_ESCAPED = f'"\\\\" (["\\\\/bfnrt] | "u" ([0-9A-CE-Fa-ce-f] {_HEX}{{3}} | [Dd] [0-7] {_HEX}{{2}}))'
_DATE = (
    '[1-9] [0-9]{3} "-" (("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])'
    ' | ("0" [13-9] | "1" [0-2]) "-" ("29" | "30") | ("0" [13578] | "1" [02]) "-31")'
)
_CLOCK = '([0-1] [0-9] | "2" [0-3]) ":" [0-5] [0-9]'
_TIME = f'{_CLOCK} ":" [0-5] [0-9] ("." [0-9]{{1,6}})? ("Z" | [+-] {_CLOCK})'
_FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f'{_DATE} "T" {_TIME}',
    "uuid": f'{_HEX}{{8}} "-" {_HEX}{{4}} "-" {_HEX}{{4}} "-" {_HEX}{{4}} "-" {_HEX}{{12}}',
}


class ScalarWriter:
    """Writes expressions for texts and numbers into a rule book."""

    def __init__(self, rules: RuleBook) -> None:
        self._rules = rules

    def _char(self) -> str:
        return self._rules.named("char", lambda: f"{_PLAIN} | {_ESCAPED}")

    def any_string(self) -> str:
        return self._rules.named("string", lambda: f"{QUOTE} {self._char()}* {QUOTE}")

    def string(self, flat: Flat, node: Node) -> str:
        given = [key for key in ("pattern", "format") if key in flat]
        least, most = counts(flat, node, "minLength", "maxLength")
        if len(given) > 1 or (given and (least or most is not None)):
            refuse(node.place, f"“{given[0]}” can’t be held to beside other demands on the text")
        if "format" in flat:
            known = _FORMATS.get(flat["format"])
            if known is None:
                refuse(node.place, f"the format “{flat['format']}” can’t be held to")
            return self._rules.rule(f"{QUOTE} {known} {QUOTE}")
        if "pattern" in flat:
            return string_of_pattern(
                flat["pattern"],
                self._rules,
                self._char(),
                lambda reason: refuse(node.place, f"the pattern can’t be held to: {reason}"),
            )
        if not least and most is None:
            return self.any_string()
        return self._rules.rule(
            sequence([QUOTE, self._rules.repeated(self._char(), least, most), QUOTE])
        )

    def integer(self, flat: Flat, node: Node) -> str:
        low, high = _whole_bounds(flat)
        if low is None and high is None:
            return self._rules.named("integer", lambda: INTEGER)
        found = integers(low, high)
        if not found:
            refuse(node.place, "no whole number that can be held to is within the bounds")
        return self._rules.rule(any_of(found))

    def number(self, flat: Flat, node: Node) -> str:
        low, high = _whole_bounds(flat)
        if low is None and high is None:
            return self._rules.named("number", lambda: NUMBER)
        least = [flat[key] for key in ("minimum", "exclusiveMinimum") if key in flat]
        most = [flat[key] for key in ("maximum", "exclusiveMaximum") if key in flat]
        found = numbers(
            max(least) if least else None, min(most) if most else None, integers(low, high)
        )
        if not found:
            refuse(node.place, "the bounds are too close for a number that can be held to")
        return self._rules.rule(any_of(found))


def counts(flat: Flat, node: Node, least_key: str, most_key: str) -> tuple[int, int | None]:
    least, most = flat.get(least_key, 0), flat.get(most_key)
    if most is not None and least > most:
        refuse(node.place, f"“{least_key}” is above “{most_key}”")
    if least > MOST_REPEATS:
        refuse(node.place, f"“{least_key}” is above {MOST_REPEATS:,}")
    return least, None if most is None else min(most, MOST_REPEATS)


def _whole_bounds(flat: Flat) -> tuple[int | None, int | None]:
    """The lowest and highest whole number within the bounds."""
    lows = [math.ceil(flat["minimum"])] if "minimum" in flat else []
    if "exclusiveMinimum" in flat:
        lows.append(math.floor(flat["exclusiveMinimum"]) + 1)
    highs = [math.floor(flat["maximum"])] if "maximum" in flat else []
    if "exclusiveMaximum" in flat:
        highs.append(math.ceil(flat["exclusiveMaximum"]) - 1)
    return max(lows, default=None), min(highs, default=None)
