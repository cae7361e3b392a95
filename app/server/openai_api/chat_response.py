"""Answers of /v1/chat/completions, whole and in pieces."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from app.server.openai_api.fields import TokenUsage, usage_of
from backends.protocol import (
    Event,
    Finished,
    Logprobs,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    Usage,
)

FinishWord = Literal["stop", "length", "tool_calls", "function_call"]


class TopLogprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int]


class ContentLogprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob]


class ChoiceLogprobs(msgspec.Struct, frozen=True):
    content: list[ContentLogprob]


class AnsweredFunction(msgspec.Struct, frozen=True):
    name: str
    arguments: str


class DeltaFunction(msgspec.Struct, frozen=True):
    """The name comes with the first piece of the arguments."""

    name: str | msgspec.UnsetType
    arguments: str


class AnsweredCall(msgspec.Struct, frozen=True):
    id: str
    function: AnsweredFunction
    type: Literal["function"] = "function"


class DeltaCall(msgspec.Struct, frozen=True):
    """The first piece of a call has all of this, the others `index` and arguments."""

    index: int
    function: DeltaFunction
    id: str | msgspec.UnsetType = msgspec.UNSET
    type: Literal["function"] | msgspec.UnsetType = msgspec.UNSET


class AnsweredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`content` is null where the model only asks for tools."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: list[AnsweredCall] | msgspec.UnsetType = msgspec.UNSET
    function_call: AnsweredFunction | msgspec.UnsetType = msgspec.UNSET
    refusal: None = None


class Choice(msgspec.Struct, frozen=True):
    index: int
    message: AnsweredMessage
    finish_reason: FinishWord
    logprobs: ChoiceLogprobs | None = None


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: str
    choices: list[Choice]
    usage: TokenUsage


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    role: Literal["assistant"] | msgspec.UnsetType = msgspec.UNSET
    content: str | msgspec.UnsetType = msgspec.UNSET
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: list[DeltaCall] | msgspec.UnsetType = msgspec.UNSET
    function_call: DeltaFunction | msgspec.UnsetType = msgspec.UNSET


class ChunkChoice(msgspec.Struct, frozen=True):
    index: int
    delta: Delta
    finish_reason: FinishWord | None = None
    logprobs: ChoiceLogprobs | None = None


class ChatCompletionChunk(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChunkChoice]
    usage: TokenUsage | msgspec.UnsetType | None = msgspec.UNSET


class ChoiceStream:
    """One answer, as the choices of its chunks. After the last event, the whole of it is known.

    Attributes:
        usage: what it took.
    """

    def __init__(self, index: int, *, is_legacy: bool = False) -> None:
        """`is_legacy`: a call is told as `function_call`."""
        self._index = index
        self._is_legacy = is_legacy
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._begun_call: str | None = None
        self._logprobs: list[ContentLogprob] = []
        self._thinks = False
        self._finish: FinishWord = "stop"
        self.usage = Usage()

    def opening(self) -> ChunkChoice:
        """Before all else."""
        return ChunkChoice(self._index, Delta(role="assistant", content=""))

    def feed(self, event: Event) -> ChunkChoice | None:
        match event:
            case TextDelta(text):
                self._thinks = False
                self._text.append(text)
                return self._chunk(Delta(content=text))
            case ReasoningDelta(text):
                self._thinks = True
                self._reasoning.append(text)
                return self._chunk(Delta(reasoning_content=text))
            case ToolCallDelta():
                return self._call_piece(event)
            case ToolCall():
                return self._call(event)
            case Logprobs(tokens) if not self._thinks:
                content = [_logprob(each) for each in tokens]
                self._logprobs.extend(content)
                return ChunkChoice(self._index, Delta(content=""), logprobs=ChoiceLogprobs(content))
            case Finished():
                return self._end(event)
        return None

    def whole(self, *, with_logprobs: bool) -> Choice:
        calls = [AnsweredCall(each.id, _function(each)) for each in self._calls]
        is_legacy = self._is_legacy and bool(calls)
        text = "".join(self._text)
        reasoning = "".join(self._reasoning)
        message = AnsweredMessage(
            content=None if calls and not text else text,
            reasoning_content=reasoning or msgspec.UNSET,
            tool_calls=calls if calls and not is_legacy else msgspec.UNSET,
            function_call=calls[0].function if is_legacy else msgspec.UNSET,
        )
        logprobs = ChoiceLogprobs(self._logprobs) if with_logprobs else None
        return Choice(self._index, message, self._finish, logprobs)

    def _call(self, call: ToolCall) -> ChunkChoice | None:
        is_told = self._begun_call == call.id
        chunk = (
            None if is_told else self._call_piece(ToolCallDelta(call.id, call.name, call.arguments))
        )
        self._calls.append(call)
        self._begun_call = None
        return chunk

    def _call_piece(self, piece: ToolCallDelta) -> ChunkChoice:
        is_first = self._begun_call != piece.id
        self._begun_call = piece.id
        function = DeltaFunction(piece.name if is_first else msgspec.UNSET, piece.arguments)
        if self._is_legacy:
            return self._chunk(Delta(function_call=function))
        index = len(self._calls)
        delta = (
            DeltaCall(index, function, piece.id, "function")
            if is_first
            else DeltaCall(index, function)
        )
        return self._chunk(Delta(tool_calls=[delta]))

    def _end(self, event: Finished) -> ChunkChoice:
        self.usage = event.usage
        if event.reason == "length":
            self._finish = "length"
        elif self._calls and self._begun_call is None:
            self._finish = "function_call" if self._is_legacy else "tool_calls"
        return ChunkChoice(self._index, Delta(), self._finish)

    def _chunk(self, delta: Delta) -> ChunkChoice:
        return ChunkChoice(self._index, delta)


def whole_usage(streams: Iterable[ChoiceStream]) -> TokenUsage:
    return usage_of([each.usage for each in streams])


def _function(call: ToolCall) -> AnsweredFunction:
    return AnsweredFunction(call.name, call.arguments)


def _logprob(token: TokenLogprob) -> ContentLogprob:
    return ContentLogprob(
        token.text,
        token.logprob,
        list(token.text.encode()),
        [TopLogprob(text, logprob, list(text.encode())) for text, logprob in token.top],
    )
