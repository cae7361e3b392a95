"""What a client of the Anthropic API gets."""

from typing import Any, Literal

import msgspec

StopReason = Literal["end_turn", "max_tokens", "stop_sequence", "tool_use"]


class TextBlock(msgspec.Struct, frozen=True, tag="text"):
    text: str = ""
    citations: None = None


class ThinkingBlock(msgspec.Struct, frozen=True, tag="thinking"):
    """The `signature` is an empty text: nobody here checks who thought so."""

    thinking: str = ""
    signature: str = ""


class ToolUseBlock(msgspec.Struct, frozen=True, tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any] = {}


ContentBlock = TextBlock | ThinkingBlock | ToolUseBlock


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens. What was read from the cache does not count among the `input_tokens`."""

    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0


class AnsweredMessage(msgspec.Struct, frozen=True, kw_only=True, tag="message"):
    id: str
    model: str
    role: Literal["assistant"] = "assistant"
    content: tuple[ContentBlock, ...] = ()
    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    usage: Usage = Usage()


class TokenCount(msgspec.Struct, frozen=True):
    input_tokens: int


class MessageStart(msgspec.Struct, frozen=True, tag="message_start"):
    message: AnsweredMessage


class BlockStart(msgspec.Struct, frozen=True, tag="content_block_start"):
    index: int
    content_block: ContentBlock


class TextPiece(msgspec.Struct, frozen=True, tag="text_delta"):
    text: str


class ThinkingPiece(msgspec.Struct, frozen=True, tag="thinking_delta"):
    thinking: str


class Signature(msgspec.Struct, frozen=True, tag="signature_delta"):
    signature: str


class InputPiece(msgspec.Struct, frozen=True, tag="input_json_delta"):
    partial_json: str


class BlockDelta(msgspec.Struct, frozen=True, tag="content_block_delta"):
    index: int
    delta: TextPiece | ThinkingPiece | Signature | InputPiece


class BlockStop(msgspec.Struct, frozen=True, tag="content_block_stop"):
    index: int


class Ending(msgspec.Struct, frozen=True):
    stop_reason: StopReason
    stop_sequence: str | None = None


class MessageDelta(msgspec.Struct, frozen=True, tag="message_delta"):
    delta: Ending
    usage: Usage


class MessageStop(msgspec.Struct, frozen=True, tag="message_stop"):
    pass


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    pass


class ErrorDetail(msgspec.Struct, frozen=True):
    type: str
    message: str


class ErrorReport(msgspec.Struct, frozen=True, tag="error"):
    error: ErrorDetail


StreamEvent = (
    MessageStart
    | BlockStart
    | BlockDelta
    | BlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorReport
)


def server_sent(event: StreamEvent) -> bytes:
    """The event as the bytes of a stream."""
    name = event.__struct_config__.tag
    return b"event: %s\ndata: %s\n\n" % (str(name).encode(), msgspec.json.encode(event))
