"""Regular expressions of JSON schemas as grammars of JSON strings.

What a grammar can't say, or what engines of regular expressions understand differently, is refused.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from backends.llama_cpp.gbnf_rules import Range, RuleBook, any_of, chars, literal, sequence

_MOST_REPEATS = 1000
_DEEPEST = 30
_LAST = 0x10FFFF
_CLASSES: dict[str, tuple[Range, ...]] = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": ((0x09, 0x0D), (0x20, 0x20)),
}
_CONTROLS = {"n": 0x0A, "t": 0x09, "r": 0x0D, "f": 0x0C, "v": 0x0B}
_JSON_ESCAPES = {0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r", 0x22: '"', 0x5C: "\\"}
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x85, 0x85), (0x2028, 0x2029))
_PLAIN = ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0x7E), (0xA0, 0xD7FF), (0xE000, _LAST))
"""Characters that stand for themselves in a JSON string."""
_QUANTIFIER = re.compile(r"\{(\d{1,6})(?:(,)(\d{1,6})?)?\}")
_GROUP = re.compile(r"\((?:\?:|\?P?<[A-Za-z_]\w*>)?(?!\?)")

Refuse = Callable[[str], NoReturn]


def string_of_pattern(pattern: str, rules: RuleBook, any_char: str, refuse: Refuse) -> str:
    """The JSON strings, with their quotes, in which the pattern is found.

    `any_char` is an expression for any character of a string; `refuse` raises, for a reason.
    """
    body = _Parser(pattern, rules, f"{any_char}*", refuse).parse()
    return sequence(['"\\x22"', body, '"\\x22"'])


class _Parser:
    def __init__(self, pattern: str, rules: RuleBook, anything: str, refuse: Refuse) -> None:
        self._pattern = pattern
        self._rules = rules
        self._anything = anything
        self._refuse = refuse
        self._at = 0

    def parse(self) -> str:
        alternatives = [self._anchored()]
        while self._next("|"):
            alternatives.append(self._anchored())
        if self._at < len(self._pattern):
            self._refuse(f"“{self._pattern[self._at]}” has no beginning")
        return any_of(alternatives)

    def _anchored(self) -> str:
        """An alternative of the whole pattern, which may be found anywhere between its anchors."""
        before = "" if self._next("^") else self._anything
        body = self._sequence(0)
        after = "" if self._next("$") else self._anything
        if self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            self._refuse("“$” stands before its end")
        return sequence([before, body, after])

    def _sequence(self, depth: int) -> str:
        if depth > _DEEPEST:
            self._refuse("its groups are nested too deeply")
        parts = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)$":
            parts.append(self._quantified(self._atom(depth)))
        return sequence(parts)

    def _atom(self, depth: int) -> str:
        here = self._pattern[self._at]
        if here == "(":
            return self._group(depth)
        self._at += 1
        if here == "[":
            return self._one_of(self._class())
        if here == ".":
            return self._one_of(_without([(0, _LAST)], _LINE_ENDS))
        if here == "\\":
            return self._one_of(self._escape())
        if here in "^*+?{":
            self._refuse(f"“{here}” stands where no grammar can follow it")
        return self._one_of([(ord(here), ord(here))])

    def _group(self, depth: int) -> str:
        found = _GROUP.match(self._pattern, self._at)
        if not found:
            self._refuse("look-arounds and options can’t be held to")
        self._at = found.end()
        alternatives = [self._sequence(depth + 1)]
        while self._next("|"):
            alternatives.append(self._sequence(depth + 1))
        if not self._next(")"):
            self._refuse("a group is not closed, or has an anchor in it")
        return any_of(alternatives)

    def _quantified(self, atom: str) -> str:
        most: int | None = None
        if self._next("*"):
            least = 0
        elif self._next("+"):
            least = 1
        elif self._next("?"):
            least, most = 0, 1
        elif found := _QUANTIFIER.match(self._pattern, self._at):
            self._at = found.end()
            least = int(found[1])
            most = int(found[3]) if found[3] else (None if found[2] else least)
            if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
                self._refuse(f"“{found[0]}” is no number of times that can be held to")
        else:
            return atom
        if self._next("+"):
            self._refuse("possessive quantifiers can’t be held to")
        self._next("?")  # greedy or not, the same texts match
        return self._rules.repeated(atom, least, most)

    def _class(self) -> list[Range]:
        negated = self._next("^")
        ranges: list[Range] = []
        only_ascii = False
        first = True
        while first or not self._next("]"):
            if self._at >= len(self._pattern):
                self._refuse("a “[” is not closed")
            first = False
            low = self._member()
            only_ascii |= len(low) > 1 or low[0][0] != low[0][1]
            dash = self._pattern[self._at : self._at + 2]
            if dash[:1] == "-" and dash != "-]" and len(low) == 1 and low[0][0] == low[0][1]:
                self._at += 1
                high = self._member()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    self._refuse("a range in brackets has no order")
                low = [(low[0][0], high[0][0])]
            ranges += low
        if not negated:
            return ranges
        # Engines differ in which letters and digits beyond ASCII a class like \w has.
        return _without([(0, 0x7F if only_ascii else _LAST)], ranges)

    def _member(self) -> list[Range]:
        here = self._pattern[self._at : self._at + 1]
        self._at += 1
        if here == "\\":
            return self._escape()
        if here == "[" or not here:
            self._refuse("a “[” is not closed, or has another in it")
        return [(ord(here), ord(here))]

    def _escape(self) -> list[Range]:
        here = self._pattern[self._at : self._at + 1]
        self._at += 1
        if here in _CLASSES and here:
            return list(_CLASSES[here])
        if here and here.lower() in _CLASSES:
            return _without([(0, 0x7F)], _CLASSES[here.lower()])
        if here and here in "xu":
            digits = self._pattern[self._at : self._at + (2 if here == "x" else 4)]
            self._at += len(digits)
            if not re.fullmatch(r"[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}", digits):
                self._refuse(f"“\\{here}” has no number after it")
            return [(int(digits, 16), int(digits, 16))]
        if here in _CONTROLS and here:
            return [(_CONTROLS[here], _CONTROLS[here])]
        if not here or here.isalnum():
            self._refuse(f"“\\{here}” can’t be held to")
        return [(ord(here), ord(here))]

    def _one_of(self, ranges: Iterable[Range]) -> str:
        """A character of the ranges, as a JSON string has it."""
        wanted = list(ranges)
        plain = _within(wanted, _PLAIN)
        escaped = [
            literal(f"\\{letter}")
            for code, letter in _JSON_ESCAPES.items()
            if any(low <= code <= high for low, high in wanted)
        ]
        single = [
            literal(f"\\u{low:04x}")
            for low, high in wanted
            if low == high < 0xA0 and low not in _JSON_ESCAPES and not _within([(low, low)], _PLAIN)
        ]
        found = ([chars(plain)] if plain else []) + escaped + single
        if not found:
            self._refuse("it asks for characters that no text has")
        return self._rules.rule(any_of(found))

    def _next(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) * found
        return found


def _within(ranges: Sequence[Range], bounds: Sequence[Range]) -> list[Range]:
    return [
        (max(low, least), min(high, most))
        for low, high in ranges
        for least, most in bounds
        if max(low, least) <= min(high, most)
    ]


def _without(ranges: Sequence[Range], left_out: Iterable[Range]) -> list[Range]:
    kept = list(ranges)
    for least, most in left_out:
        kept = [
            part
            for low, high in kept
            for part in ((low, min(high, least - 1)), (max(low, most + 1), high))
            if part[0] <= part[1]
        ]
    return kept
