"""Tools for a model whose chat template knows none: described in words, calls and results as text."""

import json
from collections.abc import Iterator, Sequence

import msgspec

from backends.protocol import Message, Tool
from backends.tainted import as_tainted, taint_answer
from backends.tool_calls.call_format import Call
from backends.tool_calls.marked_json import HERMES

FORMAT = HERMES
"""The form that such a model is asked to write."""

_ABOUT_TOOLS = """You can call functions, which are described here as JSON, one a line:
<tools>
{tools}
</tools>

To call a function, write its name and its arguments as JSON between tags, like this:
{example}

What it returns then comes between <tool_response> and </tool_response>. Call a function only where \
it helps to answer; otherwise answer in words."""


def declaration(tool: Tool) -> dict[str, object]:
    """A tool as chat templates expect it."""
    try:
        parameters: object = json.loads(tool.parameters)
    except (ValueError, RecursionError):
        parameters = {}
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": parameters,
        },
    }


def calls_of(message: Message) -> list[Call]:
    return [Call(call.name, call.arguments, call.id) for call in message.tool_calls]


def in_words(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The same chat without tools, tool calls, and messages of the role "tool"."""
    about = [Message(role="system", content=_about(tools))] if tools else []
    if about and messages and messages[0].role == "system":
        system, *messages = messages
        about = [Message(role="system", content=f"{system.content}\n\n{about[0].content}")]
    return [*about, *_plain(messages)]


def _about(tools: Sequence[Tool]) -> str:
    lines = [json.dumps(declaration(tool), ensure_ascii=False) for tool in tools]
    example = FORMAT.write([Call("NAME", '{"PARAMETER": "VALUE"}')])
    return _ABOUT_TOOLS.format(tools="\n".join(lines), example=example)


def _plain(messages: Sequence[Message]) -> Iterator[Message]:
    results: list[str] = []
    for message in messages:
        if message.role == "tool":
            results.append(f"<tool_response>\n{message.content}\n</tool_response>")
            continue
        if results and message.role == "user":
            # Two questions in a row are more than some templates allow.
            message = msgspec.structs.replace(
                message, content="\n".join([*results, message.content])
            )
            results = []
        if results:
            yield Message(role="user", content="\n".join(results))
            results = []
        if message.tool_calls:
            # The frames are our own text; what stands in them is the model's.
            calls = [
                Call(taint_answer(call.name), taint_answer(call.arguments))
                for call in message.tool_calls
            ]
            parts = [taint_answer(message.content), FORMAT.write(calls)]
            content = as_tainted("\n".join(filter(None, parts)))
            yield msgspec.structs.replace(message, content=content, tool_calls=())
        else:
            yield message
    if results:
        yield Message(role="user", content="\n".join(results))
