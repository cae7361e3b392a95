"""JSON schemas as grammars: every text that the grammar allows is JSON that the schema allows.

The other way round it is stricter, where that is what people mean: only the properties that are
named, in their order, and white space as it is usual. What can't be enforced is refused in words.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from backends.llama_cpp.gbnf_rules import (
    EMPTY,
    RuleBook,
    any_of,
    chars,
    literal,
    sequence,
)
from backends.llama_cpp.scalar_grammar import PLAIN_RANGES, QUOTE, ScalarWriter, counts
from backends.llama_cpp.schema_demands import Document, check_disjoint
from backends.llama_cpp.schema_nodes import (
    Flat,
    Node,
    branches_of,
    check_node,
    read_schema,
    refuse,
    types_of,
    values_of,
)

_DEEPEST = 40
_MOST_WRITTEN = 10_000
_SAYING_NOTHING = frozenset(
    {
        "title", "description", "default", "example", "examples", "$comment", "deprecated",
        "readOnly", "writeOnly", "$schema", "$id", "$defs", "definitions",
    }
)  # fmt: skip
_SPACE = '(" " | "\\n" " "{0,24})?'


def gbnf_of_schema(text: str) -> str:
    """The grammar of a JSON schema. Raises BadGrammar where it can't be held to."""
    document = Document(read_schema(text))
    return _Writer(document).write()


class _Writer:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._rules = RuleBook()
        self._scalars = ScalarWriter(self._rules)
        self._references: dict[str, str] = {}
        self._depth = 0
        self._n_written = 0
        self._types: Mapping[str, Callable[[Flat, Node], str]] = {
            "object": self._object,
            "array": self._array,
            "string": self._scalars.string,
            "number": self._scalars.number,
            "integer": self._scalars.integer,
            "boolean": lambda flat, node: '("true" | "false")',
            "null": lambda flat, node: '"null"',
        }

    def write(self) -> str:
        self._rules.named("root", lambda: self._some(self._document.root))
        return self._rules.text()

    def _some(self, node: Node) -> str:
        """An expression for the node's values, of which there must be some."""
        return self._values(node) or refuse(node.place, "nothing is allowed")

    def _values(self, node: Node) -> str | None:
        """An expression for the node's values, or None if it allows nothing."""
        check_node(node)
        if node.schema is True:
            return self._any_value()
        if node.schema is False:
            return None
        self._depth += 1
        self._n_written += 1
        if self._depth > _DEEPEST:
            refuse(node.place, f"it is nested more than {_DEEPEST} times")
        if self._n_written > _MOST_WRITTEN:
            refuse(node.place, "there are too many combinations")
        try:
            return self._of_keywords(node)
        finally:
            self._depth -= 1

    def _of_keywords(self, node: Node) -> str | None:
        telling = [key for key in node.schema if key not in _SAYING_NOTHING]
        if telling == ["$ref"]:
            return self._reference(node)
        if len(telling) == 1 and telling[0] in ("anyOf", "oneOf", "allOf"):
            key = telling[0]
            branches = branches_of(node, key)
            if key == "oneOf":
                check_disjoint(
                    self._document, node, [self._document.flat(branch) for branch in branches]
                )
            if key != "allOf" or len(branches) == 1:
                found = [self._values(branch) for branch in branches]
                return _one_of([part for part in found if part is not None])
        found = [self._of_flat(flat, node) for flat in self._document.flat(node)]
        return _one_of([part for part in found if part is not None])

    def _reference(self, node: Node) -> str:
        target = self._document.resolve(node)
        name = self._references.get(target.place)
        if name is None:
            name = self._references[target.place] = self._rules.fresh_name()
        return self._rules.named(name, lambda: self._some(target))

    def _of_flat(self, flat: Flat, node: Node) -> str | None:
        values = values_of(flat, node.place)
        if values is not None:
            beside = [key for key in flat if key not in ("enum", "const", "type", "nullable")]
            if beside:
                refuse(node.place, f"“{beside[0]}” can’t be held to beside given values")
            return _one_of([literal(_json(value)) for value in values])
        types = types_of(flat, node.place)
        if "number" in types:
            types = [name for name in types if name != "integer"]
        return any_of([self._types[name](flat, node) for name in dict.fromkeys(types)])

    def _any_value(self) -> str:
        def write() -> str:
            every = ("object", "array", "string", "number", "boolean", "null")
            return any_of([self._types[name]({}, Node(True, "#")) for name in every])

        return self._rules.named("value", write)

    def _space(self) -> str:
        return self._rules.named("ws", lambda: _SPACE)

    def _array(self, flat: Flat, node: Node) -> str:
        least, most = counts(flat, node, "minItems", "maxItems")
        first = [
            self._values(Node(schema, node.at("prefixItems", i)))
            for i, schema in enumerate(flat.get("prefixItems", ()))
        ]
        if most is not None:
            first = first[:most]
        if None in first:
            first = first[: first.index(None)]
            most = len(first)
        rest: str | None = None
        if most is None or most > len(first):
            # After the first ones, more are only wanted where the schema says something of them.
            more = "items" in flat or not first or least > len(first)
            rest = self._values(Node(flat.get("items", True), node.at("items"))) if more else None
        if least > len(first) and rest is None:
            refuse(node.place, "“minItems” asks for items that are not allowed")
        return self._rules.rule(self._listed([part for part in first if part], rest, least, most))

    def _listed(self, first: Sequence[str], rest: str | None, least: int, most: int | None) -> str:
        space = self._space()
        comma = f'"," {space}'
        parts = list(first)
        if rest is not None:
            needed = max(0, least - len(first))
            wanted = None if most is None else most - len(first)
            if first:
                follower = self._rules.rule(f"{comma} {rest}")
                parts[-1] = sequence([parts[-1], self._rules.repeated(follower, needed, wanted)])
            else:
                follower = self._rules.rule(f"{comma} {rest}")
                others = None if wanted is None else wanted - 1
                every = sequence([rest, self._rules.repeated(follower, max(0, needed - 1), others)])
                parts = [every if needed else f"({every} {space})?"]
                if not needed:
                    return f'"[" {space} {parts[0]} "]"'
        if not parts:
            return f'"[" {space} "]"'
        return f'"[" {space} {f" {comma} ".join(parts)} {space} "]"'

    def _object(self, flat: Flat, node: Node) -> str:
        properties: Mapping[str, object] = flat.get("properties", {})
        required = list(dict.fromkeys(flat.get("required", ())))
        others = flat.get("additionalProperties", True)
        every = {**properties, **{name: others for name in required if name not in properties}}
        members: list[tuple[str, bool]] = []
        for name, schema in every.items():
            place = node.at("properties" if name in properties else "required", name)
            value = self._values(Node(schema, place))
            if value is not None:
                head = f'{literal(_json(name))} ":" {self._space()}'
                members.append((self._rules.rule(f"{head} {value}"), name in required))
            elif name in required:
                refuse(node.place, f"“{name}” is required, and nothing is allowed for it")
        free = None
        if others is not False and (not every or "additionalProperties" in flat):
            value = self._values(Node(others, node.at("additionalProperties")))
            free = value and self._rules.rule(
                f'{self._other_name(every)} ":" {self._space()} {value}'
            )
        return self._rules.rule(self._members(flat, node, members, free))

    def _members(
        self, flat: Flat, node: Node, members: Sequence[tuple[str, bool]], free: str | None
    ) -> str:
        least, most = counts(flat, node, "minProperties", "maxProperties")
        if free and not members and least <= 1:
            return self._listed_members(free, least, most)
        n_required = sum(required for _, required in members)
        if least > n_required:
            refuse(node.place, "“minProperties” can’t be enforced beyond what is required")
        if most is not None and (free or most < len(members)):
            refuse(node.place, "“maxProperties” can’t be enforced for these properties")
        space = self._space()
        comma = f'"," {space}'
        following = f"({comma} {free})*" if free else EMPTY
        beginning = f"{free} {following}" if free else None
        for member, required in reversed(members):
            after = self._rules.rule(following)
            starts = f"{member} {after}"
            following = f"{comma} {starts}"
            if not required:
                following += f" | {after}"
                if beginning is not None:
                    starts += f" | {self._rules.rule(beginning)}"
            beginning = starts
        if beginning is None:
            return f'"{{" {space} "}}"'
        start = self._rules.rule(beginning)
        if n_required:
            return f'"{{" {space} {start} {space} "}}"'
        return f'"{{" {space} ({start} {space})? "}}"'

    def _listed_members(self, member: str, least: int, most: int | None) -> str:
        space = self._space()
        if most == 0:
            return f'"{{" {space} "}}"'
        follower = self._rules.rule(f'"," {space} {member}')
        every = sequence([member, self._rules.repeated(follower, 0, most and most - 1)])
        return (
            f'"{{" {space} {every} {space} "}}"'
            if least
            else (f'"{{" {space} ({every} {space})? "}}"')
        )

    def _other_name(self, names: Mapping[str, object]) -> str:
        """A name that is none of those."""
        plain = [
            name
            for name in names
            if '"' not in name and "\\" not in name and min(name, default=" ") >= " "
        ]
        if not plain:
            return self._scalars.any_string()
        return f"{QUOTE} {self._unlike(plain)}"

    def _unlike(self, endings: Sequence[str]) -> str:
        """The rest of a name, with its quote, that is none of the endings."""
        by_first: dict[str, list[str]] = {}
        for ending in endings:
            if ending:
                by_first.setdefault(ending[0], []).append(ending[1:])
        ranges = list(PLAIN_RANGES)
        for code in sorted(map(ord, by_first)):
            ranges = [
                part
                for low, high in ranges
                for part in ((low, min(high, code - 1)), (max(low, code + 1), high))
                if part[0] <= part[1]
            ]
        plain = self._rules.rule(chars(PLAIN_RANGES))
        alternatives = [f"{chars(ranges)} {plain}* {QUOTE}"]
        alternatives += [
            f"{literal(first)} {self._unlike(rests)}" for first, rests in by_first.items()
        ]
        if "" not in endings:
            alternatives.append(QUOTE)
        return self._rules.rule(any_of(alternatives))


def _one_of(expressions: Sequence[str]) -> str | None:
    return any_of(expressions) if expressions else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
