"""GBNF grammars, read into rules: the form in which llama.cpp takes a grammar.

The engine says of no grammar what is wrong with it, and some make it recurse or loop for ever; so
each is read here first.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NoReturn

import msgspec

from backends.errors import BadGrammar

LONGEST_TEXT = 500_000
_DEEPEST = 50
_MOST_REPEATS = 1000
_MOST_RULES = 3000
_MOST_ELEMENTS = 200_000
CANNOT = "The grammar can’t be used."

_NAME = re.compile(r"[A-Za-z0-9-]+")
_SPACE = re.compile(r"(?:[ \t]|#[^\r\n]*)*")
_SPACE_AND_LINES = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_REPEAT = re.compile(r"\{[ \t]*(\d+)[ \t]*(?:(,)[ \t]*(\d+)?[ \t]*)?\}")
_ESCAPE = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([trn\\"\[\]-]))')
_CONTROL = {"t": "\t", "r": "\r", "n": "\n"}


class Text(msgspec.Struct, frozen=True):
    text: str


class Chars(msgspec.Struct, frozen=True):
    """One character of the `ranges` of code points, both ends included; `negated`: of the others."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


class Ref(msgspec.Struct, frozen=True):
    name: str


class Group(msgspec.Struct, frozen=True):
    alternatives: "tuple[tuple[Item, ...], ...]"


Symbol = Text | Chars | Ref | Group


class Item(msgspec.Struct, frozen=True):
    """A symbol and how often it comes; `most` None: without end."""

    symbol: Symbol
    least: int = 1
    most: int | None = 1


Alternatives = tuple[tuple[Item, ...], ...]
Rules = Mapping[str, Alternatives]


def parse_gbnf(text: str) -> dict[str, Alternatives]:
    """The rules by their names. Raises BadGrammar, naming the line."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._elements = 0
        self._named: dict[str, int] = {}

    def parse(self) -> dict[str, Alternatives]:
        if len(self._text) > LONGEST_TEXT:
            raise BadGrammar(CANNOT, f"It is longer than {LONGEST_TEXT:,} characters.")
        if "\0" in self._text:
            raise BadGrammar(CANNOT, "It has a zero character in it.")
        rules: dict[str, Alternatives] = {}
        self._skip(_SPACE_AND_LINES)
        while self._at < len(self._text):
            start = self._at
            name = self._match(_NAME, "the name of a rule")
            self._skip(_SPACE)
            if not self._text.startswith("::=", self._at):
                self._fail("“::=”")
            self._at += 3
            if name in rules:
                self._at = start
                self._fail(f"another name: “{name}” is defined already")
            self._skip(_SPACE_AND_LINES)
            if len(rules) == _MOST_RULES:
                self._fail(f"no more than {_MOST_RULES:,} rules")
            rules[name] = self._alternatives(0)
            if self._at < len(self._text) and self._text[self._at] not in "\r\n":
                self._fail("the end of the line")
            self._skip(_SPACE_AND_LINES)
        for name, at in self._named.items():
            if name not in rules:
                self._at = at
                self._fail(f"a rule that exists: there is no “{name}”")
        return rules

    def _alternatives(self, depth: int) -> Alternatives:
        if depth > _DEEPEST:
            self._fail(f"no more than {_DEEPEST} brackets in each other")
        alternatives = [tuple(self._items(depth))]
        while self._text.startswith("|", self._at):
            self._at += 1
            self._skip(_SPACE_AND_LINES)
            alternatives.append(tuple(self._items(depth)))
        return tuple(alternatives)

    def _items(self, depth: int) -> Iterator[Item]:
        space = _SPACE_AND_LINES if depth else _SPACE
        while symbol := self._symbol(depth):
            self._skip(space)
            item = self._repeated(symbol)
            self._skip(space)
            while self._text[self._at : self._at + 1] in ("*", "+", "?", "{"):
                item = self._repeated(Group(((item,),)))
                self._skip(space)
            self._elements += _n_elements(item)
            if self._elements > _MOST_ELEMENTS:
                self._fail("a smaller grammar: it is too large with all that it repeats")
            yield item

    def _symbol(self, depth: int) -> Symbol | None:
        here = self._text[self._at : self._at + 1]
        if here == '"':
            self._at += 1
            return Text("".join(map(chr, self._characters('"'))))
        if here == "[":
            self._at += 1
            return self._chars()
        if here == ".":
            self._at += 1
            return Chars((), negated=True)
        if here == "(":
            self._at += 1
            self._skip(_SPACE_AND_LINES)
            group = Group(self._alternatives(depth + 1))
            if not self._text.startswith(")", self._at):
                self._fail("“)”")
            self._at += 1
            return group
        if here and here in "<!":
            self._fail("text: special tokens can’t be a part of it")
        if here and _NAME.match(here):
            start = self._at
            name = self._match(_NAME, "a name")
            self._named.setdefault(name, start)
            return Ref(name)
        return None

    def _repeated(self, symbol: Symbol) -> Item:
        here = self._text[self._at : self._at + 1]
        if here and here in "*+?":
            self._at += 1
            return Item(symbol, int(here == "+"), 1 if here == "?" else None)
        if here != "{":
            return Item(symbol)
        found = _REPEAT.match(self._text, self._at)
        if not found:
            self._fail("“{n}”, “{n,}” or “{n,m}”")
        least = int(found[1][:9])
        most = int(found[3][:9]) if found[3] else (None if found[2] else least)
        if max(least, most or 0) > _MOST_REPEATS:
            self._fail(f"no more than {_MOST_REPEATS:,} repetitions")
        if most is not None and (most < least or most == 0):
            self._fail("a number of repetitions that is possible")
        self._at = found.end()
        return Item(symbol, least, most)

    def _chars(self) -> Chars:
        negated = self._text.startswith("^", self._at)
        self._at += negated
        ranges = []
        while not self._text.startswith("]", self._at):
            low = high = self._character()
            if self._text.startswith("-", self._at) and self._text[self._at + 1 :][:1] != "]":
                self._at += 1
                high = self._character()
            if high < low:
                self._fail("a range from the lower character to the higher one")
            ranges.append((low, high))
        self._at += 1
        if not ranges:
            self._fail("a character between the brackets")
        return Chars(tuple(ranges), negated)

    def _characters(self, end: str) -> Iterator[int]:
        while not self._text.startswith(end, self._at):
            yield self._character()
        self._at += 1

    def _character(self) -> int:
        if self._at >= len(self._text):
            self._fail("a closing quote or bracket")
        here = self._text[self._at]
        if here != "\\":
            self._at += 1
            return ord(here)
        found = _ESCAPE.match(self._text, self._at)
        if not found:
            self._fail('an escape that GBNF has: \\n \\r \\t \\\\ \\" \\[ \\] \\- \\x \\u or \\U')
        digits = found[1] or found[2] or found[3]
        code = int(digits, 16) if digits else ord(_CONTROL.get(found[4], found[4]))
        if not 0 < code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            self._fail("the number of a character")
        self._at = found.end()
        return code

    def _match(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self._text, self._at)
        if not found:
            self._fail(what)
        self._at = found.end()
        return found[0]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _fail(self, expected: str) -> NoReturn:
        before = self._text[: self._at]
        line = before.count("\n") + 1
        column = self._at - (before.rfind("\n") + 1) + 1
        raise BadGrammar(
            CANNOT,
            f"Line {line}, character {column}: it should have {expected}.",
            "Correct it there.",
        )


def _n_elements(item: Item) -> int:
    """What the engine makes of it when it writes out all repetitions."""
    symbol = item.symbol
    if isinstance(symbol, Text):
        size = len(symbol.text)
    elif isinstance(symbol, Chars):
        size = 2 * len(symbol.ranges)
    else:
        size = 1
        if isinstance(symbol, Group):
            inner = sum(_n_elements(part) for parts in symbol.alternatives for part in parts)
            return inner + item.least + ((item.most or 0) - item.least + 1) * 3
    optional = 1 if item.most is None else item.most - item.least
    return size * max(1, item.least) + (size + 2) * optional
