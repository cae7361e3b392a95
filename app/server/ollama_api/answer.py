"""From the events of an answer to its parts in the Ollama API."""

import time
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from app.server.failures import Failure
from app.server.ollama_api.responses import (
    AnswerMessage,
    CalledFunction,
    ChatPart,
    DoneReason,
    Ending,
    GeneratePart,
    Logprob,
    More,
    TokenLogprob,
    ToolCall,
    moment,
)
from backends import protocol
from backends.protocol import (
    Event,
    Finished,
    HistoryTrimmed,
    Logprobs,
    ReasoningDelta,
    TextDelta,
)


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an answer, in neither endpoint's shape."""

    text: str = ""
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[Logprob, ...] = ()
    ending: Ending | None = None

    def __bool__(self) -> bool:
        return self != Piece()


class AnswerPieces:
    """Turns the events of one answer into pieces. Its clock runs from when it is made."""

    def __init__(self, *, shows_thinking: bool, alternatives: int = -1) -> None:
        """`alternatives` of each token are shown with its log-probability."""
        self._shows_thinking = shows_thinking
        self._alternatives = alternatives
        self._started = time.perf_counter()
        self._calls = 0
        self._left_out = 0

    def feed(self, event: Event) -> Piece:
        """An empty piece where the client is told nothing. Raises `Failure` where it was broken off."""
        match event:
            case TextDelta(text):
                return Piece(text=text)
            case ReasoningDelta(text) if self._shows_thinking:
                return Piece(thinking=text)
            case protocol.ToolCall():
                self._calls += 1
                return Piece(calls=(_call(event, self._calls - 1),))
            case Logprobs(tokens) if self._alternatives >= 0:
                return Piece(logprobs=tuple(_logprob(each, self._alternatives) for each in tokens))
            case HistoryTrimmed(messages):
                self._left_out = messages
            case Finished():
                return Piece(ending=self._ending(event))
        return Piece()

    def loaded(self, reason: DoneReason = "load") -> Piece:
        """The answer to a request that only loads the model, or unloads it."""
        return Piece(
            ending=Ending(
                done_reason=reason,
                total_duration=self._elapsed(),
                load_duration=self._elapsed(),
            )
        )

    def _ending(self, finished: Finished) -> Ending:
        if finished.reason == "cancelled":
            raise Failure("unavailable", "The answer was stopped before its end.", code="stopped")
        reason: DoneReason = finished.reason
        usage, timings = finished.usage, finished.timings
        reading, writing = (
            round(milliseconds * 1e6) for milliseconds in (timings.prompt_ms, timings.generation_ms)
        )
        total = max(self._elapsed(), reading + writing)
        return Ending(
            done_reason=reason,
            total_duration=total,
            load_duration=total - reading - writing,  # and what it waited for others
            prompt_eval_count=usage.prompt_tokens,
            prompt_eval_duration=reading,
            eval_count=usage.completion_tokens,
            eval_duration=writing,
            causeway=More(cached_tokens=usage.cached_tokens, messages_left_out=self._left_out),
        )

    def _elapsed(self) -> int:
        return round((time.perf_counter() - self._started) * 1e9)


def whole(pieces: Iterable[Piece]) -> Piece:
    """All pieces of an answer as one. Raises `Failure` where the end is missing."""
    gathered = tuple(pieces)
    ending = gathered[-1].ending if gathered else None
    if ending is None:
        raise Failure("unavailable", "The answer ended too soon.", code="engine_failed")
    return Piece(
        text="".join(piece.text for piece in gathered),
        thinking="".join(piece.thinking for piece in gathered),
        calls=tuple(call for piece in gathered for call in piece.calls),
        logprobs=tuple(each for piece in gathered for each in piece.logprobs),
        ending=ending,
    )


def chat_part(model: str, piece: Piece) -> ChatPart:
    return ChatPart(
        model=model,
        created_at=moment(time.time()),
        message=AnswerMessage(
            content=piece.text,
            thinking=piece.thinking or UNSET,
            tool_calls=piece.calls or UNSET,
        ),
        logprobs=piece.logprobs or UNSET,
        done=piece.ending is not None,
        **_fields(piece.ending),
    )


def generate_part(model: str, piece: Piece) -> GeneratePart:
    return GeneratePart(
        model=model,
        created_at=moment(time.time()),
        response=piece.text,
        thinking=piece.thinking or UNSET,
        logprobs=piece.logprobs or UNSET,
        done=piece.ending is not None,
        **_fields(piece.ending),
    )


def _fields(ending: Ending | None) -> dict[str, Any]:
    return msgspec.structs.asdict(ending) if ending is not None else {}


def _call(call: protocol.ToolCall, index: int) -> ToolCall:
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, object])
    except (ValueError, RecursionError):
        # With other arguments than it meant, a tool could do harm.
        raise Failure(
            "unavailable",
            f"The model called the tool “{call.name}” with something that is no JSON object.",
            code="bad_tool_call",
        ) from None
    return ToolCall(
        call.id or f"call_{uuid.uuid4().hex}", CalledFunction(index, call.name, arguments)
    )


def _logprob(token: protocol.TokenLogprob, alternatives: int) -> Logprob:
    return Logprob(
        token.text,
        token.logprob,
        tuple(token.text.encode()),
        tuple(
            TokenLogprob(text, logprob, tuple(text.encode()))
            for text, logprob in token.top[:alternatives]
        ),
    )
