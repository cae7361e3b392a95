"""A call that is a JSON object with the tool's name and its arguments, in a text that streams in."""

import json
import re
from typing import NoReturn

from backends.tool_calls.call_format import Call, Tools, skip_space

NAMES = ("name", "tool_name", "function_name")
ARGUMENTS = ("arguments", "parameters", "args")
_KEYS = (*NAMES, *ARGUMENTS, "type", "id", "function")
_OWN_ID = re.compile(r"[A-Za-z0-9]{9}")
_PART = re.compile(r'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_START = re.compile(r'\{\s*(?:"([^"\\]*)("(?:\s*:\s*"([^"\\]*)")?)?)?')


def object_end(text: str, start: int) -> int | None:
    """Where the object that begins at `start` ends, by its brackets; None: further on."""
    depth = 0
    for part in _PART.finditer(text, start):
        if part[0] == '"':
            return None
        if part[0] in "{[":
            depth += 1
        elif part[0] in "}]":
            depth -= 1
            if depth == 0:
                return part.end()
    return None


def read_call(text: str, start: int, tools: Tools) -> tuple[Call | None, int] | None:
    """The call that begins at `start` with a brace, and its end; no call if it is something else.

    None: it isn't finished. What is no call is known as early as possible, since it is held back.
    """
    if not _may_be_call(text, start, tools):
        return None, start
    end = object_end(text, start)
    if end is None:
        return None
    try:
        return _call(text, start, end, tools), end
    except (ValueError, RecursionError):
        return None, start


def arguments_of(raw: str) -> str | None:
    """The text of a JSON object as it stands, or as JSON where it is nearly that; None: it is none."""
    try:
        value = _loads(raw)
        if isinstance(value, str):
            raw, value = value, _loads(value)
        if not isinstance(value, dict):
            return None
        try:
            json.loads(raw)
        except ValueError:  # line breaks in strings, as small models write them
            return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return raw


def _may_be_call(text: str, start: int, tools: Tools) -> bool:
    begun = _START.match(text, start)
    if begun is None:
        return False
    key, closed, value = begun.groups()
    if key is None:
        return begun.end() == len(text)
    if closed is None:
        return begun.end() == len(text) and any(known.startswith(key) for known in _KEYS)
    return key in _KEYS and (value is None or key not in NAMES or value in tools)


def _call(text: str, start: int, end: int, tools: Tools) -> Call | None:
    members = _members(text, start, end)
    if "function" in members and not any(name in members for name in NAMES):
        inner = text.index("{", members["function"][0])
        return _call(text, inner, members["function"][1], tools)
    named = next((members[key] for key in NAMES if key in members), None)
    if named is None:
        return None
    name = _loads(text[slice(*named)])
    if not isinstance(name, str) or name not in tools:
        return None
    given = next((members[key] for key in ARGUMENTS if key in members), None)
    raw = text[slice(*given)] if given else "{}"
    arguments = arguments_of("{}" if raw == "null" else raw)
    if arguments is None:
        return None
    own = _loads(text[slice(*members["id"])]) if "id" in members else None
    is_id = isinstance(own, str) and _OWN_ID.fullmatch(own)
    return Call(name, arguments, str(own) if is_id else "")


def _members(text: str, start: int, end: int) -> dict[str, tuple[int, int]]:
    """Where the values of an object lie. Raises ValueError for what is no JSON."""
    found: dict[str, tuple[int, int]] = {}
    at = skip_space(text, start + 1)
    while text[at] != "}":
        if text[at] != '"':
            raise ValueError("no key")
        key, at = _DECODER.raw_decode(text, at)
        at = skip_space(text, at)
        if text[at] != ":":
            raise ValueError("no colon")
        at = skip_space(text, at + 1)
        _, value_end = _DECODER.raw_decode(text, at)
        found[key] = (at, value_end)
        at = skip_space(text, value_end)
        if text[at] == ",":
            at = skip_space(text, at + 1)
        elif text[at] != "}":
            raise ValueError("no comma")
    if at + 1 != end:
        raise ValueError("brackets of another object")
    return found


def _loads(text: str) -> object:
    value: object = _DECODER.decode(text)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
