"""Qwen3-Coder's form: tags that name the function and each parameter, with the values as they are."""

import json
from collections.abc import Mapping
from typing import Any

from backends.protocol import Tool
from backends.tool_calls.call_format import (
    PROBE,
    Call,
    CallFormat,
    Found,
    Frame,
    Tools,
    may_become,
    skip_space,
)

_OPENING, _CLOSING = "<tool_call>", "</tool_call>"
_FUNCTION, _FUNCTION_END = "<function=", "</function>"
_PARAMETER, _PARAMETER_END = "<parameter=", "</parameter>"
_LONGEST_NAME = 300


def _read(text: str, tools: Tools, is_whole: bool) -> Found | None:
    opening = _OPENING if text.startswith(_OPENING) else ""
    no_call = Found((), len(opening) or len(_FUNCTION))
    at = skip_space(text, len(opening))
    if not text.startswith(_FUNCTION, at):
        return None if may_become(text, at, _FUNCTION) and not is_whole else no_call
    name, at = _name(text, at + len(_FUNCTION))
    if at < 0:
        return None if len(name) < _LONGEST_NAME and not is_whole else no_call
    if name not in tools:
        return no_call
    types = _types(tools[name])
    values: dict[str, object] = {}
    while True:
        at = skip_space(text, at)
        if text.startswith(_FUNCTION_END, at):
            at += len(_FUNCTION_END)
            break
        if not text.startswith(_PARAMETER, at):
            is_open = may_become(text, at, _PARAMETER) or may_become(text, at, _FUNCTION_END)
            return None if is_open and not is_whole else no_call
        key, start = _name(text, at + len(_PARAMETER))
        end = text.find(_PARAMETER_END, start) if start >= 0 else -1
        if end < 0:
            return no_call if is_whole else None
        values[key] = _value(_without_breaks(text[start:end]), types.get(key, ""))
        at = end + len(_PARAMETER_END)
    call = Call(name, json.dumps(values, ensure_ascii=False))
    close = skip_space(text, at)
    if opening and may_become(text, close, _CLOSING):
        return Found((call,), len(text)) if is_whole else None
    if opening and text.startswith(_CLOSING, close):
        at = close + len(_CLOSING)
    return Found((call,), at)


def _name(text: str, start: int) -> tuple[str, int]:
    """The name up to a bracket, and what comes after that; below zero: there is no bracket yet."""
    end = text.find(">", start)
    return (text[start:end].strip(), end + 1) if end >= 0 else (text[start:], -1)


def _types(tool: Tool) -> Mapping[str, object]:
    try:
        properties: Any = json.loads(tool.parameters)["properties"]
        return {key: schema.get("type", "") for key, schema in properties.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _value(text: str, declared: object) -> object:
    """A text stays one where the schema says so; else it is JSON if it reads as that."""
    if declared == "string":
        return text
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _no_json(constant: str) -> object:
    raise ValueError(constant)


def _without_breaks(text: str) -> str:
    return text.removeprefix("\n").removesuffix("\n")


def _written(arguments: str) -> str:
    try:
        values = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    if not isinstance(values, dict):
        return arguments
    texts = []
    for key, value in values.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        texts.append(f"{_PARAMETER}{key}>\n{shown}\n{_PARAMETER_END}\n")
    return "".join(texts)


QWEN_CODER = CallFormat(
    name="Qwen3-Coder",
    sign=f"{_FUNCTION}{PROBE}>",
    openings=(_OPENING, _FUNCTION),
    marks=(_OPENING, _CLOSING),
    frame=Frame(
        before=f"{_OPENING}\n{_FUNCTION}", within=">\n", after=f"{_FUNCTION_END}\n{_CLOSING}"
    ),
    read=_read,
    notation="tagged",
    write_arguments=_written,
)
