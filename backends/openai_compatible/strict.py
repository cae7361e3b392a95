"""Which JSON schemas services will hold an answer to strictly."""

from typing import Any

_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions")


def is_strict(schema: Any, depth: int = 0) -> bool:
    """Whether each object of the schema names all it may have, and must have all it names.

    Of others, services that are asked to be strict say that they are no good.
    """
    if depth > 32 or not isinstance(schema, dict):
        return False
    if depth == 0 and schema.get("type") != "object":
        return False
    if "properties" in schema or schema.get("type") == "object":
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, dict) or not isinstance(required, list):
            return False
        if schema.get("additionalProperties") is not False or {*properties} != {
            *map(str, required)
        }:
            return False
    parts: list[Any] = []
    for name in _MAPS:
        inner = schema.get(name, {})
        parts += inner.values() if isinstance(inner, dict) else [None]
    for name in _LISTS:
        inner = schema.get(name, [])
        parts += inner if isinstance(inner, list) else [None]
    if "items" in schema:
        parts.append(schema["items"])
    return all(is_strict(part, depth + 1) for part in parts)
