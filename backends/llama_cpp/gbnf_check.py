"""Whether llama.cpp's grammar engine can work with a grammar.

It trusts a grammar: one that begins with itself makes it grow for ever, and one that never ends
lets a model write for ever.
"""

from collections.abc import Callable, Iterator

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf import (
    CANNOT,
    Alternatives,
    Chars,
    Group,
    Item,
    Ref,
    Rules,
    Text,
    parse_gbnf,
)

ROOT = "root"
_MOST_PATHS = 20_000


def check_gbnf(text: str) -> None:
    """Raises BadGrammar for what is no grammar, has no end, or is beyond the engine."""
    rules = parse_gbnf(text)
    if ROOT not in rules:
        raise BadGrammar(
            CANNOT, "It has no rule “root”.", "Add “root ::= …”: it is the whole answer."
        )
    empty, ending = _fixpoint(rules, _may_be_empty), _fixpoint(rules, _may_end)
    for name in rules:
        if name not in ending:
            raise BadGrammar(
                CANNOT,
                f"The rule “{name}” never comes to an end: it always needs itself again.",
                "Add an alternative without it.",
            )
    _check_paths(rules, empty)


def _fixpoint(rules: Rules, holds: Callable[[Item, set[str]], bool]) -> set[str]:
    """The names of all rules that have an alternative for all of whose items it `holds`."""
    known: set[str] = set()
    grew = True
    while grew:
        new = {
            name
            for name, alternatives in rules.items()
            if name not in known and _any(alternatives, known, holds)
        }
        known |= new
        grew = bool(new)
    return known


def _any(
    alternatives: Alternatives, known: set[str], holds: Callable[[Item, set[str]], bool]
) -> bool:
    return any(all(holds(item, known) for item in items) for items in alternatives)


def _may_be_empty(item: Item, known: set[str]) -> bool:
    match item.symbol:
        case Text(text):
            empty = not text
        case Chars():
            empty = False
        case Ref(name):
            empty = name in known
        case Group(alternatives):
            empty = _any(alternatives, known, _may_be_empty)
    return empty or item.least == 0


def _may_end(item: Item, known: set[str]) -> bool:
    match item.symbol:
        case Ref(name):
            ends = name in known
        case Group(alternatives):
            ends = _any(alternatives, known, _may_end)
        case _:
            ends = True
    return ends or item.least == 0


def _check_paths(rules: Rules, empty: set[str]) -> None:
    """Refuse what the engine would follow for ever, or too long, before the next character."""
    firsts = {name: list(_firsts(parts, empty)) for name, parts in rules.items()}
    paths: dict[str, int] = {}
    waiting = set(rules)
    while waiting:
        ready = [name for name in waiting if all(first in paths for first in firsts[name])]
        if not ready:
            raise BadGrammar(
                CANNOT,
                f"The rule “{min(waiting)}” begins with itself, directly or by other rules.",
                "Let something come before it.",
            )
        for name in ready:
            paths[name] = 1 + len(rules[name]) + sum(paths[first] for first in firsts[name])
        waiting.difference_update(ready)
    if max(paths.values()) > _MOST_PATHS:
        raise BadGrammar(
            CANNOT,
            "There are too many ways to read the same text by it.",
            "Write rules in which the next character decides how to go on.",
        )


def _firsts(alternatives: Alternatives, empty: set[str]) -> Iterator[str]:
    """The rules that a text of the alternatives may begin with."""
    for items in alternatives:
        for item in items:
            if isinstance(item.symbol, Ref):
                yield item.symbol.name
            elif isinstance(item.symbol, Group):
                yield from _firsts(item.symbol.alternatives, empty)
            if not _may_be_empty(item, empty):
                break
