"""Random texts of a grammar, by the grammar alone: no model, no engine."""

import random

from backends.llama_cpp.gbnf import Alternatives, Chars, Group, Item, Ref, Text, parse_gbnf

_CALM_AFTER = 8


class GbnfTexts:
    """Derives texts of the rule `root`. Deep down it takes what comes to an end soonest."""

    def __init__(self, gbnf: str, rng: random.Random) -> None:
        self._rules = parse_gbnf(gbnf)
        self._rng = rng
        self._cost = dict.fromkeys(self._rules, 1e9)
        for _ in self._rules:
            before = dict(self._cost)
            for name, alternatives in self._rules.items():
                self._cost[name] = 1 + min(map(self._cost_of, alternatives))
            if self._cost == before:
                break

    def text(self) -> str:
        return self._derived(self._rules["root"], 0)

    def _derived(self, alternatives: Alternatives, depth: int) -> str:
        if depth > _CALM_AFTER:
            items = min(alternatives, key=self._cost_of)
        else:
            items = self._rng.choice(alternatives)
        return "".join(self._item(item, depth) for item in items)

    def _item(self, item: Item, depth: int) -> str:
        most = item.least + 3 if item.most is None else min(item.most, item.least + 3)
        count = item.least if depth > _CALM_AFTER else self._rng.randint(item.least, most)
        return "".join(self._symbol(item, depth) for _ in range(count))

    def _symbol(self, item: Item, depth: int) -> str:
        match item.symbol:
            case Text(text):
                return text
            case Ref(name):
                return self._derived(self._rules[name], depth + 1)
            case Group(alternatives):
                return self._derived(alternatives, depth)
            case Chars() as chars:
                return self._character(chars)

    def _character(self, chars: Chars) -> str:
        if not chars.negated:
            low, high = self._rng.choice(chars.ranges)
            near = min(high, low + 200)
            return chr(self._rng.choice([low, high, self._rng.randint(low, near)]))
        while True:
            code = self._rng.randint(0x20, 0x2FF)
            if not any(low <= code <= high for low, high in chars.ranges):
                return chr(code)

    def _cost_of(self, items: tuple[Item, ...]) -> float:
        return sum(self._item_cost(item) for item in items)

    def _item_cost(self, item: Item) -> float:
        match item.symbol:
            case Ref(name):
                cost = self._cost[name]
            case Group(alternatives):
                cost = min(map(self._cost_of, alternatives))
            case _:
                cost = 1.0
        return cost * item.least
