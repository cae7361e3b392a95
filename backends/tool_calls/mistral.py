"""Mistral's forms: a list of objects after a mark, and names with arguments, each after a mark."""

import re

from backends.tool_calls.call_format import (
    PROBE,
    Call,
    CallFormat,
    Found,
    Frame,
    Tools,
    skip_space,
)
from backends.tool_calls.json_call import arguments_of, object_end, read_call

_OPENING, _ID, _ARGUMENTS = "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"
_HEAD = re.compile(r"\s*([^\s\[{]+)\s*(?:\[CALL_ID\]\s*([^\s\[{]+)\s*)?(?:\[ARGS\]\s*)?(?=\{)")
_UNFINISHED_HEAD = re.compile(r"\s*([^\s\[{]*)\s*(\[[A-Z_]*(?:\]\s*[^\s\[{]*\s*)?)*")
_NO_CALL = Found((), len(_OPENING))


def _read(text: str, tools: Tools, is_whole: bool) -> Found | None:
    start = skip_space(text, len(_OPENING))
    if text.startswith(("[{", "[ ", "[\n", "{"), start) or text[start:] == "[":
        return _read_objects(text, start, tools, is_whole)
    head = _HEAD.match(text, start)
    if head is None:
        begun = _UNFINISHED_HEAD.match(text, start)
        is_open = begun is not None and begun.end() == len(text) and not is_whole
        return None if is_open and _may_be_named(text[start:], tools) else _NO_CALL
    if head[1] not in tools:
        return _NO_CALL
    end = object_end(text, head.end())
    if end is None:
        return None
    arguments = arguments_of(text[head.end() : end])
    if arguments is None:
        return _NO_CALL
    return Found((Call(head[1], arguments, head[2] or ""),), end)


def _may_be_named(text: str, tools: Tools) -> bool:
    name = re.split(r"[\s\[{]", text, maxsplit=1)[0]
    return name in tools if name != text else any(tool.startswith(name) for tool in tools)


def _read_objects(text: str, start: int, tools: Tools, is_whole: bool) -> Found | None:
    is_list = text[start] == "["
    at = skip_space(text, start + 1) if is_list else start
    calls: list[Call] = []
    while at < len(text) and text[at] == "{":
        read = read_call(text, at, tools)
        if read is None:
            return None
        call, at = read
        if call is None:
            return _NO_CALL
        calls.append(call)
        if not is_list:
            return Found(tuple(calls), at)
        at = skip_space(text, at)
        if at < len(text) and text[at] == ",":
            at = skip_space(text, at + 1)
    if at < len(text):
        return Found(tuple(calls), at + 1) if text[at] == "]" and calls else _NO_CALL
    if is_whole:
        return Found(tuple(calls), len(text)) if calls else _NO_CALL
    return None


MISTRAL_LIST = CallFormat(
    name="Mistral, a list",
    sign=_OPENING,
    openings=(_OPENING,),
    marks=(_OPENING,),
    frame=Frame(
        first=f"{_OPENING}[",
        before='{"name": "',
        within='", "arguments": ',
        after="}",
        between=", ",
        last="]",
    ),
    read=_read,
)

MISTRAL_NAMED = CallFormat(
    name="Mistral, named",
    sign=f"{_OPENING}{PROBE}{_ARGUMENTS}",
    openings=(_OPENING,),
    marks=(_OPENING, _ID, _ARGUMENTS),
    frame=Frame(before=_OPENING, within=_ARGUMENTS, after="", between=""),
    read=_read,
)
