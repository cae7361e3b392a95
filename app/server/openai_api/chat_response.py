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


class AnsweredCall(msgspec.Struct, frozen=True):
    id: str
    function: AnsweredFunction
    type: Literal["function"] = "function"


class DeltaCall(msgspec.Struct, frozen=True):
    index: int
    id: str
    function: AnsweredFunction
    type: Literal["function"] = "function"


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
    function_call: AnsweredFunction | msgspec.UnsetType = msgspec.UNSET


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

    def _call(self, call: ToolCall) -> ChunkChoice:
        delta = DeltaCall(len(self._calls), call.id, _function(call))
        self._calls.append(call)
        if self._is_legacy:
            return self._chunk(Delta(function_call=delta.function))
        return self._chunk(Delta(tool_calls=[delta]))

    def _end(self, event: Finished) -> ChunkChoice:
        self.usage = event.usage
        if event.reason == "length":
            self._finish = "length"
        elif self._calls:
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
