"""Forms in which a call is a JSON object, between marks or bare: Hermes and Qwen, Llama 3."""

import re

from backends.tool_calls.call_format import (
    PROBE,
    CallFormat,
    Found,
    Frame,
    Tools,
    may_become,
    skip_space,
)
from backends.tool_calls.json_call import read_call

_FENCE = "```"
_CLOSINGS = {
    "<tool_call>": "</tool_call>",
    f"{_FENCE}json": _FENCE,
    f"{_FENCE}tool_call": _FENCE,
    f"{_FENCE}tool_code": _FENCE,
    "<|python_tag|>": "",
    "{": "",
}
_STRAY = re.compile(r"[\s}\]]*")


def _read(text: str, tools: Tools, is_whole: bool) -> Found | None:
    opening = next(opening for opening in _CLOSINGS if text.startswith(opening))
    no_call = Found((), len(opening))
    closing = _CLOSINGS[opening]
    start = 0 if opening == "{" else skip_space(text, len(opening))
    if start == len(text):
        return no_call if is_whole else None
    if text[start] != "{":
        return no_call
    read = read_call(text, start, tools)
    if read is None:
        return None
    call, end = read
    if call is None:
        return no_call
    if not closing:
        return Found((call,), end)
    stray = _STRAY.match(text, end)
    close = stray.end() if stray else end
    if text.startswith(closing, close):
        return Found((call,), close + len(closing))
    if may_become(text, close, closing):
        return Found((call,), len(text)) if is_whole else None
    return Found((call,), end)


HERMES = CallFormat(
    name="Hermes",
    sign='<tool_call>\n{"name": "' + PROBE,
    openings=("<tool_call>",),
    bare=("{", f"{_FENCE}json", f"{_FENCE}tool_call", f"{_FENCE}tool_code"),
    marks=("<tool_call>", "</tool_call>"),
    frame=Frame(
        before='<tool_call>\n{"name": "', within='", "arguments": ', after="}\n</tool_call>"
    ),
    read=_read,
)
"""That of Hermes, Qwen and many others; what models that forget the marks write is understood."""

LLAMA_3 = CallFormat(
    name="Llama 3",
    sign='{"name": "' + PROBE + '", "parameters":',
    openings=("<|python_tag|>",),
    bare=("{",),
    marks=("<|python_tag|>",),
    frame=Frame(before='{"name": "', within='", "parameters": ', after="}", between=None),
    read=_read,
)
