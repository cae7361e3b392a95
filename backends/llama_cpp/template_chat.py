"""The messages of a chat as chat templates expect them, tool calls and their results included."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from backends.protocol import Message, ToolCall
from backends.tainted import Tainted, as_tainted, raw, taint, taint_all, taint_answer

_ID = re.compile(r"[A-Za-z0-9]{9}")
_ID_LENGTH = 9


class GivenJson(dict[str, Any]):
    """An object that is written as the text that it was read from, spaces and all.

    So a call that comes back is the text that the model wrote, and need not be read again.
    """

    def __init__(self, value: dict[str, Any], text: Tainted) -> None:
        super().__init__(value)
        self._text = text


def text_of(given: GivenJson) -> Tainted:
    # A method would be found by templates that look for an argument of its name.
    return given._text


def as_dicts(messages: Sequence[Message], *, arguments_as_text: bool) -> list[dict[str, Any]]:
    """What the messages say is tainted, so that no template can make it a control token.

    `arguments_as_text` gives the arguments of calls as the text of a JSON object.
    """
    names: dict[str, str] = {}
    found = []
    for message in messages:
        names |= {call.id: call.name for call in message.tool_calls}
        mark = taint_answer if message.role == "assistant" else taint
        fields: dict[str, Any] = {"role": message.role, "content": mark(message.content)}
        if message.reasoning:
            fields["reasoning_content"] = mark(message.reasoning)
        if message.tool_calls:
            fields["tool_calls"] = [
                _call(call, as_text=arguments_as_text) for call in message.tool_calls
            ]
        if message.role == "tool":
            fields["tool_call_id"] = _short(message.tool_call_id)
            fields["name"] = taint(names.get(message.tool_call_id, ""))
        found.append(fields)
    return found


def one_call_each(messages: Sequence[Message]) -> list[Message]:
    """Each call in a message of its own with its result behind it, as some templates want it."""
    found: list[Message] = []
    waiting: list[Message] = []
    for message in messages:
        if message.role == "tool" and waiting:
            at = _place(waiting, message)
            found += [*waiting[:at], message]
            del waiting[:at]
            continue
        found += waiting
        waiting = []
        if len(message.tool_calls) > 1:
            waiting = list(_split(message))
        else:
            found.append(message)
    return [*found, *waiting]


def _place(waiting: Sequence[Message], result: Message) -> int:
    """How many of the messages that wait come before the result."""
    ids = [message.tool_calls[0].id for message in waiting]
    return ids.index(result.tool_call_id) + 1 if result.tool_call_id in ids else 1


def _split(message: Message) -> Iterator[Message]:
    first, *others = message.tool_calls
    yield msgspec.structs.replace(message, tool_calls=(first,))
    for call in others:
        yield Message(role="assistant", content="", tool_calls=(call,))


def _call(call: ToolCall, *, as_text: bool) -> dict[str, Any]:
    written = taint_answer(call.arguments)
    arguments: Any = written
    if not as_text:
        try:
            value = taint_all(json.loads(call.arguments), taint_answer)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            arguments = GivenJson(value, written)
    function = {"name": taint_answer(call.name), "arguments": arguments}
    if isinstance(arguments, GivenJson):
        name = taint_answer(json.dumps(call.name, ensure_ascii=False))
        function = GivenJson(
            function, as_tainted(f'{{"name": {name}, "arguments": {raw(written)}}}')
        )
    return {"type": "function", "id": _short(call.id), "function": function}


def _short(call_id: str) -> str:
    """Mistral's templates insist on nine letters and digits, and others do not care."""
    if not call_id or _ID.fullmatch(call_id):
        return call_id
    return hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:_ID_LENGTH]
