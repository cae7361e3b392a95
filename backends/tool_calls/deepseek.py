"""DeepSeek's forms: each call between marks of its own, all of them between another two."""

import re

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
from backends.tool_calls.json_call import arguments_of, object_end

_FIRST, _LAST = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
_BEGIN, _SEPARATOR, _END = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
_FENCED = re.compile(r"function<｜tool▁sep｜>([^\s{`<]+)\s*```json\s*(?=\{)")
_PLAIN = re.compile(r"([^\s{`<]+)<｜tool▁sep｜>\s*(?=\{)")
_AFTER = re.compile(r"\s*(?:```)?\s*")
_LONGEST_HEAD = 300


def _read(text: str, tools: Tools, is_whole: bool) -> Found | None:
    at = 0
    if text.startswith(_FIRST):
        at = skip_space(text, len(_FIRST))
        if may_become(text, at, _BEGIN):
            return Found((), at) if is_whole else None
    no_call = Found((), at or len(_BEGIN))
    if not text.startswith(_BEGIN, at):
        return no_call
    at = skip_space(text, at + len(_BEGIN))
    head = _FENCED.match(text, at) or _PLAIN.match(text, at)
    if head is None:
        is_open = not is_whole and "{" not in text[at:] and len(text) - at < _LONGEST_HEAD
        return None if is_open else no_call
    if head[1] not in tools:
        return no_call
    end = object_end(text, head.end())
    if end is None:
        return None
    arguments = arguments_of(text[head.end() : end])
    if arguments is None:
        return no_call
    found = (Call(head[1], arguments),)
    for mark in (_END, _LAST):
        closed = _AFTER.match(text, end)
        at = closed.end() if closed else end
        if text.startswith(mark, at):
            end = at + len(mark)
        elif not is_whole and (may_become(text, at, mark) or text[at:] in ("`", "``")):
            return None
    return Found(found, end)


_OPENINGS = (_FIRST, _BEGIN)
_MARKS = (_FIRST, _LAST, _BEGIN, _SEPARATOR, _END)

DEEPSEEK = CallFormat(
    name="DeepSeek",
    sign=f"{_BEGIN}{PROBE}{_SEPARATOR}",
    openings=_OPENINGS,
    marks=_MARKS,
    frame=Frame(first=_FIRST, before=_BEGIN, within=_SEPARATOR, after=_END, between="", last=_LAST),
    read=_read,
)

DEEPSEEK_FENCED = CallFormat(
    name="DeepSeek, fenced",
    sign=f"{_BEGIN}function{_SEPARATOR}{PROBE}",
    openings=_OPENINGS,
    marks=_MARKS,
    frame=Frame(
        first=_FIRST,
        before=f"{_BEGIN}function{_SEPARATOR}",
        within="\n```json\n",
        after=f"\n```{_END}",
        between="\n",
        last=_LAST,
    ),
    read=_read,
)
