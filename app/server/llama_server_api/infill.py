"""/infill: what stands between two texts."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.asked import Asked
from app.server.bodies import decoded
from app.server.openai_api.fields import Model, Temperature, TopP, sampling_options, stops_of
from app.server.openai_api.sending import json_response, sse, with_errors
from app.server.served import DEFAULT_NAME
from app.server.streaming import SSE_IDLE, streamed
from backends.protocol import Event, Finished, ReasoningDelta, TextDelta

StopType = Literal["none", "eos", "limit", "word"]


class ExtraFile(msgspec.Struct, frozen=True):
    text: str
    filename: str = ""


class InfillRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The answer stands between `input_prefix` with `prompt` after it, and `input_suffix`. `input_extra`
    are texts of other files, which are put before.
    """

    input_prefix: str = ""
    input_suffix: str = ""
    input_extra: list[ExtraFile] | None = None
    prompt: str = ""
    model: Model = DEFAULT_NAME
    stream: bool | None = None
    n_predict: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    temperature: Temperature | None = None
    top_k: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    top_p: TopP | None = None
    min_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None


class InfillTimings(msgspec.Struct, frozen=True, kw_only=True):
    prompt_n: int
    prompt_ms: float
    predicted_n: int
    predicted_ms: float
    predicted_per_second: float


class InfillAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole, or the next piece; the last one has `stop` true and the numbers."""

    content: str
    stop: bool
    model: str | msgspec.UnsetType = msgspec.UNSET
    tokens_predicted: int | msgspec.UnsetType = msgspec.UNSET
    tokens_evaluated: int | msgspec.UnsetType = msgspec.UNSET
    tokens_cached: int | msgspec.UnsetType = msgspec.UNSET
    stop_type: StopType | msgspec.UnsetType = msgspec.UNSET
    stopping_word: str | msgspec.UnsetType = msgspec.UNSET
    timings: InfillTimings | msgspec.UnsetType = msgspec.UNSET


class Infill:
    """Fills in."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, InfillRequest)
        model = self._answering.find(wanted.model).id
        answer = self._answering.answer(_asked(wanted), request.state.note)
        if wanted.stream:
            return await streamed(
                answer, lambda events: with_errors(_chunks(events, model)), idle=SSE_IDLE
            )
        async with answer as events:
            pieces = [piece async for event in events if (piece := _piece(event, model))]
        return json_response(
            msgspec.structs.replace(pieces[-1], content="".join(each.content for each in pieces))
        )


def _asked(request: InfillRequest) -> Asked:
    extra = "".join(
        f"\n\n--- {each.filename or 'snippet'} ---\n\n{each.text}"
        for each in request.input_extra or ()
    )
    return Asked(
        model=request.model,
        prompt=f"{extra}{request.input_prefix}{request.prompt}",
        suffix=request.input_suffix,
        options=sampling_options(
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
            max_tokens=request.n_predict,
            top_k=request.top_k,
            min_p=request.min_p,
        ),
        stop=stops_of(request.stop),
    )


async def _chunks(events: AsyncIterator[Event], model: str) -> AsyncIterator[bytes]:
    async for event in events:
        if (piece := _piece(event, model)) is not None:
            yield sse(piece)


def _piece(event: Event, model: str) -> InfillAnswer | None:
    match event:
        case TextDelta(text) | ReasoningDelta(text):
            return InfillAnswer(content=text, stop=False)
        case Finished():
            return _end(event, model)
    return None


def _end(finished: Finished, model: str) -> InfillAnswer:
    usage, timings = finished.usage, finished.timings
    stop_type: StopType = "eos"
    if finished.reason == "length":
        stop_type = "limit"
    elif finished.stop_text:
        stop_type = "word"
    return InfillAnswer(
        content="",
        stop=True,
        model=model,
        tokens_predicted=usage.completion_tokens,
        tokens_evaluated=usage.prompt_tokens,
        tokens_cached=usage.cached_tokens,
        stop_type=stop_type,
        stopping_word=finished.stop_text,
        timings=InfillTimings(
            prompt_n=usage.prompt_tokens - usage.cached_tokens,
            prompt_ms=timings.prompt_ms,
            predicted_n=usage.completion_tokens,
            predicted_ms=timings.generation_ms,
            predicted_per_second=timings.tokens_per_second,
        ),
    )
