"""From a request of the Anthropic API to what is asked of a model."""

from collections.abc import Sequence

import msgspec

from app.options import Value, option
from app.server.anthropic_api.prompt import prompt_of
from app.server.anthropic_api.requests import (
    CountRequest,
    MessagesRequest,
    OutputFormat,
    Tool,
    ToolChoice,
)
from app.server.asked import Asked
from app.server.extensions import applied, checked_option, thinking
from app.server.failures import Failure
from backends import protocol
from backends.protocol import Grammar

_MOST_STOPS = 64


def asked_of(request: MessagesRequest) -> Asked:
    """Raises `Failure`."""
    _refuse(
        request.mcp_servers, "mcp_servers", "This server connects to no other servers for tools."
    )
    _refuse(request.container, "container", "This server runs no code.")
    messages = prompt_of(request.system, request.messages)
    last = messages[-1]
    if last.role == "assistant" and last.tool_calls:
        raise Failure(
            "invalid",
            "messages: the last one asks for tools. What they gave back must follow it.",
            param="messages",
        )
    extended = applied(request.causeway)
    tools, choice = _tools(request.tools or (), request.tool_choice)
    called = request.tool_choice
    return Asked(
        model=request.model,
        messages=messages,
        options={**_options(request), **extended.options},
        advised=extended.advised,
        stop=_stops(request.stop_sequences or ()),
        grammar=_grammar(request) or extended.grammar,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=not (called is not None and called.disable_parallel_tool_use),
        tool_call_deltas=bool(request.stream),
        continue_last=last.role == "assistant",
    )


def counted_messages(request: CountRequest) -> tuple[protocol.Message, ...]:
    """What to count. Tools count as the text of their schemas, which most templates write out."""
    messages = prompt_of(request.system, request.messages)
    tools, _ = _tools(request.tools or (), None)
    if not tools:
        return messages
    text = msgspec.json.encode(tools).decode()
    before = messages[0].content + "\n\n" if messages[0].role == "system" else ""
    rest = messages[1:] if before else messages
    return (protocol.Message(role="system", content=before + text), *rest)


def shows_thinking(request: MessagesRequest) -> bool:
    """Clients that didn't ask for thinking expect the text in the first block."""
    return request.thinking is not None and request.thinking.type in ("enabled", "adaptive")


def omits_thinking(request: MessagesRequest) -> bool:
    """Whether blocks of thinking are to come without their text."""
    return request.thinking is not None and request.thinking.display == "omitted"


def _refuse(given: object, field: str, words: str) -> None:
    if given:
        raise Failure("invalid", f"{field}: {words}", code="unsupported_parameter", param=field)


def _options(request: MessagesRequest) -> dict[str, Value]:
    top_k = request.top_k
    wanted = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        # Beyond so many it makes no difference that anybody could see.
        "top_k": None if top_k is None else min(max(top_k, 0), int(option("top_k").maximum)),
    }
    chosen = {
        key: checked_option(key, value, key) for key, value in wanted.items() if value is not None
    }
    wanted_thinking = shows_thinking(request) if request.thinking is not None else None
    return {"max_tokens": request.max_tokens, **chosen, **thinking(wanted_thinking)}


def _stops(stops: Sequence[str]) -> tuple[str, ...]:
    if len(stops) > _MOST_STOPS:
        raise Failure(
            "invalid", f"stop_sequences: at most {_MOST_STOPS} of them.", param="stop_sequences"
        )
    if not all(stop.strip() for stop in stops):
        raise Failure(
            "invalid",
            "stop_sequences: each must contain more than white space.",
            param="stop_sequences",
        )
    return tuple(stops)


def _grammar(request: MessagesRequest) -> Grammar | None:
    config = request.output_config
    wanted: OutputFormat | None = (config.format if config else None) or request.output_format
    if wanted is None:
        return None
    if wanted.type != "json_schema" or wanted.schema is None:
        raise Failure(
            "invalid",
            "output_config.format: it is {“type”: “json_schema”, “schema”: …}.",
            param="output_config.format",
        )
    return Grammar("json_schema", msgspec.json.encode(wanted.schema).decode())


def _tools(
    tools: Sequence[Tool], choice: ToolChoice | None
) -> tuple[tuple[protocol.Tool, ...], protocol.ToolChoice]:
    offered = tuple(_tool(tool, f"tools.{index}") for index, tool in enumerate(tools))
    match choice.type if choice is not None else "auto":
        case "auto":
            return offered, "auto"
        case "none":
            return offered, "none"
        case "any" if offered:
            return offered, "required"
        case "tool" if choice is not None and offered:
            named = tuple(tool for tool in offered if tool.name == choice.name)
            if named:
                return named, "required"
            raise Failure(
                "invalid",
                f"tool_choice.name: none of the tools is called “{choice.name}”.",
                param="tool_choice.name",
            )
        case "any" | "tool":
            raise Failure("invalid", "tool_choice: there are no tools.", param="tool_choice")
        case kind:
            raise Failure(
                "invalid",
                f"tool_choice.type: “{kind}” is none of auto, any, tool and none.",
                param="tool_choice.type",
            )


def _tool(tool: Tool, where: str) -> protocol.Tool:
    if tool.type not in (None, "custom"):
        raise Failure(
            "invalid",
            f"{where}: “{tool.type}” is a tool of Anthropic's own, which this server does not have. "
            "Only tools with a name and an input_schema can be used here.",
            param=f"{where}.type",
        )
    if not tool.name:
        raise Failure("invalid", f"{where}.name: a tool needs a name.", param=f"{where}.name")
    if tool.input_schema is None:
        raise Failure(
            "invalid",
            f"{where}.input_schema: a tool needs the JSON schema of its input.",
            param=f"{where}.input_schema",
        )
    return protocol.Tool(
        name=tool.name,
        description=tool.description or "",
        parameters=msgspec.json.encode(tool.input_schema).decode(),
    )
