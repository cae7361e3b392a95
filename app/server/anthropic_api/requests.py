"""What a client of the Anthropic API sends. Fields that are not here are ignored."""

from typing import Annotated, Any

import msgspec

from app.server.extensions import Extensions

_MOST_TOKENS = 1_000_000


class Source(msgspec.Struct, frozen=True):
    """Where a picture or document comes from: "base64", "text" or "content" are read here."""

    type: str
    media_type: str = ""
    data: str = ""
    content: "str | tuple[Block, ...]" = ""


class Block(msgspec.Struct, frozen=True):
    """A piece of a message. Which fields count depends on the `type`; unknown types must not fail
    to decode, since agents hand back whatever other servers once sent them.
    """

    type: str
    text: str = ""
    thinking: str = ""
    source: Source | str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Any] = {}
    tool_use_id: str = ""
    content: "str | tuple[Block, ...] | dict[str, Any] | None" = None
    is_error: bool | None = None
    title: str | None = None


class Message(msgspec.Struct, frozen=True):
    role: str
    content: str | tuple[Block, ...]


class Tool(msgspec.Struct, frozen=True):
    name: str = ""
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    type: str | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct, frozen=True):
    """Whether thinking is shown. How long a local model thinks is its own affair."""

    type: str
    display: str | None = None


class OutputFormat(msgspec.Struct, frozen=True):
    type: str
    schema: dict[str, Any] | None = None


class OutputConfig(msgspec.Struct, frozen=True):
    format: OutputFormat | None = None


class MessagesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/messages`."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=_MOST_TOKENS)]
    system: str | tuple[Block, ...] | None = None
    stream: bool | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    stop_sequences: tuple[str, ...] | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    mcp_servers: tuple[Any, ...] | None = None
    container: Any = None
    causeway: Extensions | None = None


class CountRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/messages/count_tokens`."""

    model: str
    messages: tuple[Message, ...]
    system: str | tuple[Block, ...] | None = None
    tools: tuple[Tool, ...] | None = None
