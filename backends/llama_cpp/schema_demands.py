"""What a JSON schema demands all in all: references followed, combinations multiplied out.

A *flat* schema is an object without references and combinations: all that it demands stands in it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from backends.llama_cpp.schema_nodes import (
    TYPES,
    Flat,
    Node,
    Schema,
    branches_of,
    check_node,
    declared_types,
    refuse,
    same,
    type_of_value,
    values_of,
)

_MOST_COMBINATIONS = 64
_MOST_LOOKED_AT = 5000
_MOST_COMPARED = 50_000
_DEEPEST_COMPARED = 4
_COMBINING = ("$ref", "allOf", "anyOf", "oneOf")
_LARGER_WINS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLER_WINS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_MERGED = frozenset(
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items",
     "prefixItems", "pattern", "format", "nullable"}
).union(_LARGER_WINS, _SMALLER_WINS)  # fmt: skip


class Document:
    """A schema in which references are looked up."""

    def __init__(self, schema: Schema) -> None:
        self.root = Node(schema, "#")
        self._schema = schema
        self._n_looked_at = 0
        self._n_compared = 0

    def resolve(self, node: Node) -> Node:
        """Where the node's “$ref” leads."""
        pointer = node.schema["$ref"]
        if not isinstance(pointer, str) or not (pointer == "#" or pointer.startswith("#/")):
            refuse(node.place, f"the reference “{pointer}” leads out of the schema")
        target = self._schema
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            try:
                target = target[int(key)] if isinstance(target, list) else target[key]
            except (KeyError, IndexError, ValueError, TypeError):
                refuse(node.place, f"the reference “{pointer}” leads nowhere")
        return Node(target, pointer)

    def flat(self, node: Node, within: tuple[str, ...] = ()) -> list[Flat]:
        """The node as alternatives that demand everything at once; none if nothing is allowed."""
        check_node(node, len(within))
        self._n_looked_at += 1
        if self._n_looked_at > _MOST_LOOKED_AT:
            refuse(node.place, "there are too many combinations")
        if node.schema is True:
            return [{}]
        if node.schema is False:
            return []
        if node.place in within:
            refuse(node.place, "it refers to itself beside other demands")
        within = (*within, node.place)
        found: list[Flat] = [{key: node.schema[key] for key in node.schema if key in _MERGED}]
        for key in _COMBINING:
            if key not in node.schema:
                continue
            if key == "$ref":
                found = self._both(found, self.flat(self.resolve(node), within), node.place)
                continue
            branches = [self.flat(branch, within) for branch in branches_of(node, key)]
            if key == "oneOf":
                check_disjoint(self, node, branches)
            if key == "allOf":
                for branch in branches:
                    found = self._both(found, branch, node.place)
            else:
                every = [flat for branch in branches for flat in branch]
                found = self._both(found, every, node.place)
        if node.schema.get("unevaluatedProperties", True) is False:
            return [{"additionalProperties": False, **flat} for flat in found]
        return found

    def disjoint(self, one: Flat, other: Flat, place: str) -> bool:
        """Whether it is plain that no value is allowed by both."""
        self._n_compared += 1
        if self._n_compared > _MOST_COMPARED:
            refuse(place, "there are too many alternatives of “oneOf” to compare")
        return _disjoint(self, one, other, place)

    def _both(self, some: list[Flat], others: list[Flat], place: str) -> list[Flat]:
        if len(some) * len(others) > _MOST_COMBINATIONS:
            refuse(place, "there are too many combinations")
        return [
            merged
            for one in some
            for other in others
            if (merged := both(one, other, place)) is not None
        ]


def both(one: Flat, other: Flat, place: str) -> Flat | None:
    """What both demand, or None where they contradict each other."""
    merged: dict[str, Any] = {**one, **other}
    for key in one.keys() & other.keys():
        first, second = one[key], other[key]
        if key == "type":
            types = _common_types(declared_types(one, place), declared_types(other, place))
            if not types:
                return None
            merged[key] = types
        elif key == "enum":
            merged[key] = [v for v in first if any(same(v, w) for w in second)]
            if not merged[key]:
                return None
        elif key == "const":
            if not same(first, second):
                return None
        elif key in _LARGER_WINS:
            merged[key] = max(first, second)
        elif key in _SMALLER_WINS:
            merged[key] = min(first, second)
        elif key == "required":
            merged[key] = list(dict.fromkeys([*first, *second]))
        elif key in ("items", "additionalProperties"):
            merged[key] = _all_of(first, second)
        elif key not in ("properties", "nullable") and first != second:
            refuse(place, f"two different “{key}” can’t be held to at once")
    for first, second in ((one, other), (other, one)):
        if "prefixItems" in first and "prefixItems" not in second and "items" in second:
            refuse(place, "“prefixItems” and “items” of several schemas can’t be held to at once")
    properties = dict(_properties(one, other))
    if properties:
        merged["properties"] = properties
    return merged


def _properties(one: Flat, other: Flat) -> Iterator[tuple[str, Schema]]:
    first, second = one.get("properties", {}), other.get("properties", {})
    for name in dict.fromkeys([*first, *second]):
        yield (
            name,
            _all_of(
                first.get(name, one.get("additionalProperties", True)),
                second.get(name, other.get("additionalProperties", True)),
            ),
        )


def _all_of(one: Schema, other: Schema) -> Schema:
    if one is False or other is False:
        return False
    if one is True:
        return other
    return one if other is True or one == other else {"allOf": [one, other]}


def _common_types(some: Sequence[str], others: Sequence[str]) -> list[str]:
    common = [name for name in some if name in others]
    for one, two in ((some, others), (others, some)):
        if "integer" in one and "number" in two and "integer" not in common:
            common.append("integer")
    return common


def check_disjoint(document: Document, node: Node, branches: Sequence[Sequence[Flat]]) -> None:
    """Refuse a “oneOf” of which a value might be several."""
    for i, some in enumerate(branches):
        for others in branches[i + 1 :]:
            for one in some:
                for other in others:
                    if not document.disjoint(one, other, node.place):
                        refuse(
                            node.place,
                            "a value may be of several of “oneOf”; “anyOf” allows that",
                        )


def _disjoint(document: Document, one: Flat, other: Flat, place: str) -> bool:
    if both(one, other, place) is None:
        return True
    some, others = values_of(one, place), values_of(other, place)
    if some is not None and others is not None:
        return not any(same(value, another) for value in some for another in others)
    first, second = _true_types(one, some, place), _true_types(other, others, place)
    common = first & second
    if common != {"object"}:
        return not common
    return any(
        _property_differs(document, one, other, name, place)
        for name in {*one.get("required", ()), *other.get("required", ())}
    )


def _true_types(flat: Flat, values: list[object] | None, place: str) -> set[str]:
    """All types that a value may have, each number counted as both kinds unless it can't be."""
    if values is not None:
        return {type_of_value(value) for value in values}
    types = set(declared_types(flat, place)) if "type" in flat else set(TYPES)
    return types | {"integer"} if "number" in types else types


def _property_differs(document: Document, one: Flat, other: Flat, name: str, place: str) -> bool:
    if place.count("…") == _DEEPEST_COMPARED:
        return False
    sides = []
    for flat in (one, other):
        schema = flat.get("properties", {}).get(name, flat.get("additionalProperties", True))
        sides.append(document.flat(Node(schema, f"{place}/…/{name}")))
    return all(document.disjoint(a, b, place) for a in sides[0] for b in sides[1])
