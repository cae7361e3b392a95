"""Writing GBNF: expressions as text, and rules that are written once however often they are used."""

import re
from collections.abc import Callable, Iterable, Sequence

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf import CANNOT

EMPTY = '""'
MOST_REPEATS = 1_000_000
_WRITTEN_OUT = 16
_MOST_RULES = 2800

_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\r\n]*|\{[^}]*\}|([A-Za-z0-9-]+)', re.DOTALL
)

Range = tuple[int, int]


class RuleBook:
    """Rules by their names. An expression is what may stand in a rule, with brackets where needed."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._count = 0

    def named(self, name: str, write: Callable[[], str]) -> str:
        """A rule of that name, which may refer to itself; written only the first time."""
        if name not in self._rules:
            self._rules[name] = ""
            self._rules[name] = write()
        return name

    def rule(self, expression: str) -> str:
        """The name of a rule for the expression."""
        name = self._names.get(expression)
        if name is None:
            name = self._names[expression] = self.fresh_name()
            self._rules[name] = expression
        return name

    def fresh_name(self) -> str:
        """A name for a rule that is still to be written, with `named`. Raises BadGrammar."""
        if len(self._rules) >= _MOST_RULES:
            raise BadGrammar(CANNOT, "It comes to too many rules.", "Ask for something simpler.")
        self._count += 1
        return f"r{self._count}"

    def repeated(self, expression: str, least: int, most: int | None) -> str:
        """The expression so many times, by few rules however many times these are."""
        if not _is_symbol(expression):
            expression = self.rule(expression)
        if most is None:
            return sequence([self._exactly(expression, least), f"{expression}*"])
        return sequence([self._exactly(expression, least), self._up_to(expression, most - least)])

    def text(self) -> str:
        return "".join(f"{name} ::= {body or EMPTY}\n" for name, body in self._rules.items())

    def _exactly(self, symbol: str, count: int) -> str:
        if count <= _WRITTEN_OUT:
            return "" if count == 0 else symbol if count == 1 else f"{symbol}{{{count}}}"
        half = count // 2
        parts = [self._exactly(symbol, half), self._exactly(symbol, count - half)]
        return self.rule(sequence(parts))

    def _up_to(self, symbol: str, count: int) -> str:
        if count <= _WRITTEN_OUT:
            return "" if count == 0 else f"{symbol}{{0,{count}}}"
        half = -(-count // 2)
        many = sequence([self._exactly(symbol, half), self._up_to(symbol, count - half)])
        return self.rule(any_of([many, self._up_to(symbol, half - 1)]))


def renamed(gbnf: str, prefix: str) -> str:
    """The rules with a prefix to their names, so that they can stand beside those of another grammar."""
    return _TOKEN.sub(lambda token: prefix + token[1] if token[1] else token[0], gbnf)


def sequence(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)


def any_of(alternatives: Sequence[str]) -> str:
    """One of the expressions, in brackets if there are several."""
    distinct = list(dict.fromkeys(part or EMPTY for part in alternatives))
    return distinct[0] if len(distinct) == 1 else f"({' | '.join(distinct)})"


def literal(text: str) -> str:
    return '"' + "".join(_escaped(ord(char), '"') for char in text) + '"'


def chars(ranges: Iterable[Range]) -> str:
    """One character of the ranges of code points."""
    return "[" + "".join(_range(low, high) for low, high in ranges) + "]"


def _range(low: int, high: int) -> str:
    ends = (
        [_escaped(low, "[]-^")] if low == high else [_escaped(low, "[]-^"), _escaped(high, "[]-^")]
    )
    return "-".join(ends)


def _escaped(code: int, special: str) -> str:
    if code < 0x20 or code == 0x7F or (code < 0x80 and chr(code) in special + "\\"):
        return f"\\x{code:02X}"
    return chr(code) if code < 0x80 else f"\\U{code:08X}"


def _is_symbol(expression: str) -> bool:
    """Whether a repetition after it applies to all of it."""
    return expression.isalnum()
