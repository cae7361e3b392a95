"""From the events of an answer to the message and the stream of the Anthropic API."""

import uuid
from collections.abc import Iterator

import msgspec

from app.server.anthropic_api.responses import (
    AnsweredMessage,
    BlockDelta,
    BlockStart,
    BlockStop,
    ContentBlock,
    Ending,
    InputPiece,
    MessageDelta,
    MessageStart,
    MessageStop,
    Signature,
    StopReason,
    StreamEvent,
    TextBlock,
    TextPiece,
    ThinkingBlock,
    ThinkingPiece,
    ToolUseBlock,
    Usage,
)
from app.server.failures import Failure
from backends import protocol
from backends.protocol import (
    Event,
    Finished,
    HistoryTrimmed,
    PromptProgress,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Warned,
)

_BEFORE = (HistoryTrimmed, Warned)
"""What may come before the prompt is counted, and is not told in this API."""


class AnswerStream:
    """Turns events into those of the API: blocks follow each other, each closed before the next."""

    def __init__(self, model: str, *, shows_thinking: bool, omits_thinking: bool = False) -> None:
        self._model = model
        self._shows_thinking = shows_thinking
        self._omits_thinking = omits_thinking
        self._started = False
        self._index = -1
        self._open: type[TextBlock] | type[ThinkingBlock] | None = None
        self._begun_call: str | None = None
        self._called = False

    def feed(self, event: Event) -> Iterator[StreamEvent]:
        """What the client is told of `event`. Raises `Failure` where the answer was broken off."""
        if not self._started and not isinstance(event, _BEFORE):
            self._started = True
            yield MessageStart(
                AnsweredMessage(
                    id=f"msg_{uuid.uuid4().hex}", model=self._model, usage=_usage_at_start(event)
                )
            )
        match event:
            case TextDelta(text):
                yield from self._within(TextBlock)
                yield BlockDelta(self._index, TextPiece(text))
            case ReasoningDelta(text) if self._shows_thinking:
                yield from self._within(ThinkingBlock)
                if not self._omits_thinking:
                    yield BlockDelta(self._index, ThinkingPiece(text))
            case ToolCallDelta():
                yield from self._call_piece(event)
            case ToolCall():
                yield from self._call(event)
            case Finished():
                called = self._called and self._begun_call is None
                yield from self._close()
                yield MessageDelta(_ending(event, called=called), _usage(event.usage))
                yield MessageStop()

    def _within(self, kind: type[TextBlock] | type[ThinkingBlock]) -> Iterator[StreamEvent]:
        if self._open is kind:
            return
        yield from self._close()
        self._index += 1
        self._open = kind
        yield BlockStart(self._index, kind())

    def _close(self) -> Iterator[StreamEvent]:
        if self._begun_call is not None:
            self._begun_call = None
            yield BlockStop(self._index)
        if self._open is None:
            return
        if self._open is ThinkingBlock:
            yield BlockDelta(self._index, Signature(""))
        yield BlockStop(self._index)
        self._open = None

    def _call(self, call: ToolCall) -> Iterator[StreamEvent]:
        block = _tool_use(call)
        if self._begun_call != call.id:
            arguments = msgspec.json.encode(block.input).decode()
            yield from self._call_piece(ToolCallDelta(block.id, block.name, arguments))
        yield from self._close()
        self._called = True

    def _call_piece(self, piece: ToolCallDelta) -> Iterator[StreamEvent]:
        if self._begun_call != piece.id:
            yield from self._close()
            self._begun_call = piece.id
            self._index += 1
            yield BlockStart(self._index, ToolUseBlock(piece.id, piece.name))
        yield BlockDelta(self._index, InputPiece(piece.arguments))


class WholeAnswer:
    """Gathers the same stream into one message."""

    def __init__(self) -> None:
        self._message: AnsweredMessage | None = None
        self._blocks: list[ContentBlock] = []
        self._pieces: list[str] = []

    def feed(self, event: StreamEvent) -> None:
        match event:
            case MessageStart(message):
                self._message = message
            case BlockStart(_, block):
                self._blocks.append(block)
                self._pieces = []
            case BlockDelta(_, TextPiece(text) | ThinkingPiece(text) | InputPiece(text)):
                self._pieces.append(text)
            case BlockStop():
                self._blocks[-1] = _filled(self._blocks[-1], "".join(self._pieces))
            case MessageDelta(ending, usage) if self._message is not None:
                self._message = msgspec.structs.replace(
                    self._message,
                    content=tuple(self._blocks),
                    stop_reason=ending.stop_reason,
                    stop_sequence=ending.stop_sequence,
                    usage=usage,
                )

    def message(self) -> AnsweredMessage:
        """Raises `Failure` where the stream ended before its end."""
        if self._message is None or self._message.stop_reason is None:
            raise Failure("unavailable", "The answer ended too soon.", code="engine_failed")
        return self._message


def _filled(block: ContentBlock, text: str) -> ContentBlock:
    match block:
        case TextBlock():
            return TextBlock(text)
        case ThinkingBlock():
            return ThinkingBlock(text)
        case ToolUseBlock():
            return msgspec.structs.replace(block, input=msgspec.json.decode(text))


def _tool_use(call: ToolCall) -> ToolUseBlock:
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, object])
    except (ValueError, RecursionError):
        # With other arguments than it meant, a tool could do harm.
        raise Failure(
            "unavailable",
            f"The model called the tool “{call.name}” with something that is no JSON object.",
            code="bad_tool_call",
        ) from None
    return ToolUseBlock(call.id or f"toolu_{uuid.uuid4().hex}", call.name, arguments)


def _usage_at_start(event: Event) -> Usage:
    """What is known of the prompt before it is read."""
    if isinstance(event, PromptProgress):
        return Usage(input_tokens=event.total - event.cached, cache_read_input_tokens=event.cached)
    return Usage()


def _usage(usage: protocol.Usage) -> Usage:
    return Usage(
        input_tokens=usage.prompt_tokens - usage.cached_tokens,
        cache_read_input_tokens=usage.cached_tokens,
        output_tokens=usage.completion_tokens,
    )


def _ending(finished: Finished, *, called: bool) -> Ending:
    reason: StopReason = "end_turn"
    match finished.reason:
        case "length":
            return Ending("max_tokens")
        case "cancelled":
            raise Failure("unavailable", "The answer was stopped before its end.", code="stopped")
        case "stop" if called:
            reason = "tool_use"
        case "stop" if finished.stop_text:
            return Ending("stop_sequence", finished.stop_text)
    return Ending(reason)
