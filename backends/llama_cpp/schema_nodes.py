"""Reading a JSON schema: which keywords there are, and what each of them says by itself."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec

from backends.errors import BadGrammar

Schema = Any
Flat = Mapping[str, Any]

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_DEEPEST = 40
_LONGEST = 300_000
_UNENFORCEABLE = frozenset(
    {
        "not", "if", "then", "else", "dependentSchemas", "dependentRequired", "dependencies",
        "patternProperties", "propertyNames", "contains", "minContains", "maxContains",
        "multipleOf", "unevaluatedItems", "additionalItems", "$dynamicRef", "$recursiveRef",
    }
)  # fmt: skip
_IMPLIED_TYPES = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def _is_bound(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _are_values(value: object) -> bool:
    return isinstance(value, list) and bool(value)


_BOUND = ("a number", _is_bound)
_COUNT = ("a whole number from 0", _is_count)
_TEXT: tuple[str, Callable[[object], bool]] = ("a text", lambda value: isinstance(value, str))
_VALUES: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _BOUND),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNT),
    **dict.fromkeys(("minProperties", "maxProperties"), _COUNT),
    **dict.fromkeys(("pattern", "format"), _TEXT),
    "required": ("a list of names", _are_texts),
    "enum": ("a list of values", _are_values),
    "prefixItems": ("a list of schemas", _are_values),
    "properties": ("an object", lambda value: isinstance(value, dict)),
    "type": ("a type or several", lambda value: isinstance(value, str) or _are_texts(value)),
}


class Node(msgspec.Struct, frozen=True):
    """A schema, and the place where it stands, such as “#/properties/age”."""

    schema: Schema
    place: str

    def at(self, *keys: object) -> str:
        return "/".join([self.place, *(str(k).replace("~", "~0").replace("/", "~1") for k in keys)])


def refuse(place: str, reason: str) -> NoReturn:
    raise BadGrammar(
        "The schema can’t be held to.", f"At {place}, {reason}.", "Change the schema there."
    )


def read_schema(text: str) -> Schema:
    """Raises BadGrammar for what is no JSON, or too long."""
    if len(text) > _LONGEST:
        raise BadGrammar("The schema is too long.", f"It has more than {_LONGEST:,} characters.")
    try:
        schema = msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadGrammar("The schema is not JSON.", f"{error}.", "Correct it.") from None
    return schema


def check_node(node: Node, depth: int = 0) -> None:
    """Refuse what is no schema or has a keyword that no grammar can enforce."""
    if depth > _DEEPEST:
        refuse(node.place, f"it is nested more than {_DEEPEST} times")
    if isinstance(node.schema, bool):
        return
    if not isinstance(node.schema, dict):
        refuse(node.place, "there is no schema, which is an object, true or false")
    for key in node.schema:
        if key in _UNENFORCEABLE:
            refuse(node.place, f"“{key}” can’t be enforced while an answer is written")
    if node.schema.get("uniqueItems", False) is not False:
        refuse(node.place, "“uniqueItems” can’t be enforced while an answer is written")
    if not isinstance(node.schema.get("unevaluatedProperties", False), bool):
        refuse(node.place, "“unevaluatedProperties” can’t be enforced unless it is true or false")
    if "$id" in node.schema and node.place != "#":
        refuse(node.place, "“$id” changes what references mean")
    for key, (kind, right) in _VALUES.items():
        if key in node.schema and not right(node.schema[key]):
            refuse(node.place, f"“{key}” is not {kind}")


def branches_of(node: Node, key: str) -> list[Node]:
    branches = node.schema[key]
    if not isinstance(branches, list) or not branches:
        refuse(node.place, f"“{key}” is no list of schemas")
    return [Node(branch, node.at(key, i)) for i, branch in enumerate(branches)]


def types_of(flat: Flat, place: str) -> list[str]:
    """The types that a flat schema allows; without “type”, those that its other keywords are about."""
    if "type" in flat:
        return declared_types(flat, place)
    implied = [
        name for name, keywords in _IMPLIED_TYPES.items() if any(key in flat for key in keywords)
    ]
    if implied and flat.get("nullable") is True:
        implied.append("null")
    return implied or [name for name in TYPES if name != "integer"]


def type_of_value(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case None:
            return "null"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "integer" if value == int(value) else "number"  # type: ignore[call-overload]


def values_of(flat: Flat, place: str) -> list[object] | None:
    """The values that “enum” and “const” leave, or None without them."""
    found: list[object] | None = None
    if "enum" in flat:
        found = list(flat["enum"])
    if "const" in flat:
        if found is not None and not any(same(flat["const"], value) for value in found):
            refuse(place, "“const” is not among the values of “enum”")
        found = [flat["const"]]
    if found is None or "type" not in flat:
        return found
    allowed = set(declared_types(flat, place))
    if "number" in allowed:
        allowed.add("integer")
    return [value for value in found if type_of_value(value) in allowed]


def same(one: object, other: object) -> bool:
    """Equal as JSON values: true is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def declared_types(flat: Flat, place: str) -> list[str]:
    declared = flat["type"]
    names = declared if isinstance(declared, list) else [declared]
    for name in names or [declared]:
        if name not in TYPES:
            refuse(place, f"“{name}” is no type")
    return [*names, "null"] if flat.get("nullable") is True and "null" not in names else list(names)
