"""/v1/completions: going on with a bare text."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.asked import Asked
from app.server.bodies import decoded
from app.server.extensions import Extensions, applied
from app.server.failures import Failure
from app.server.openai_api.chat_request import StreamOptions
from app.server.openai_api.fields import (
    Answers,
    Model,
    Penalty,
    Temperature,
    Texts,
    TokenUsage,
    TopP,
    biases_of,
    sampling_options,
    stops_of,
    texts_of,
    usage_of,
)
from app.server.openai_api.sending import (
    DONE,
    fingerprint_of,
    json_response,
    new_id,
    sse,
    with_errors,
)
from app.server.openai_api.several import Indexed, answers, variants
from app.server.openai_api.text_choice import TextChoice, TextStream
from app.server.served import DEFAULT_NAME
from app.server.streaming import SSE_IDLE, streamed
from backends.protocol import Text, Usage

_MOST_PROMPTS = 64
_USUAL_TOKENS = 16


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Without `max_tokens`, an answer has 16, as at OpenAI. With 0, the prompt is only read.

    With `echo` and `logprobs`, the tokens of the prompt have theirs, too.
    """

    prompt: Texts
    model: Model = DEFAULT_NAME
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Answers | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=5)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: int | None = None
    top_k: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    min_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    repeat_penalty: float | None = None
    repetition_penalty: float | None = None
    causeway: Extensions | None = None


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer, or a piece of one in a stream."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    system_fingerprint: str
    choices: list[TextChoice]
    usage: TokenUsage | msgspec.UnsetType | None = msgspec.UNSET


class Completions:
    """Goes on with texts."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, CompletionRequest)
        prompts = _prompts(wanted)
        served = self._answering.find(wanted.model)
        asked = [
            each for prompt in prompts for each in variants(_asked(wanted, prompt), wanted.n or 1)
        ]
        streams = [
            TextStream(
                index,
                begins_with=each.prompt if wanted.echo and isinstance(each.prompt, str) else "",
                with_logprobs=each.logprobs >= 0,
                tells_prompt=isinstance(each.prompt, tuple),
            )
            for index, each in enumerate(asked)
        ]
        frame = Completion(
            id=new_id("cmpl-"),
            created=int(time.time()),
            model=served.id,
            system_fingerprint=fingerprint_of(served),
            choices=[],
        )
        answer = answers(self._answering, asked, request.state.note)
        if wanted.stream:
            options = wanted.stream_options
            if options is not None and options.include_usage:
                frame = msgspec.structs.replace(frame, usage=None)
            return await streamed(
                answer,
                lambda events: with_errors(_chunks(streams, events, frame, len(prompts))),
                idle=SSE_IDLE,
            )
        async with answer as events:
            async for index, event in events:
                streams[index].feed(event)
        return json_response(
            msgspec.structs.replace(
                frame,
                choices=[each.whole() for each in streams],
                usage=_usage(streams, len(prompts)),
            )
        )


async def _chunks(
    streams: list[TextStream], events: AsyncIterator[Indexed], frame: Completion, n_prompts: int
) -> AsyncIterator[bytes]:
    opening = [choice for stream in streams if (choice := stream.opening()) is not None]
    if opening:
        yield b"".join(sse(msgspec.structs.replace(frame, choices=[choice])) for choice in opening)
    async for index, event in events:
        if (choice := streams[index].feed(event)) is not None:
            yield sse(msgspec.structs.replace(frame, choices=[choice]))
    if frame.usage is None:
        yield sse(msgspec.structs.replace(frame, usage=_usage(streams, n_prompts)))
    yield DONE


def _usage(streams: list[TextStream], n_prompts: int) -> TokenUsage:
    """The answers to each prompt are neighbours, and share it."""
    each = len(streams) // n_prompts
    groups = [streams[start : start + each] for start in range(0, len(streams), each)]
    usages = [usage_of([stream.usage for stream in group]) for group in groups]
    return usage_of(
        [
            Usage(
                sum(usage.prompt_tokens for usage in usages),
                sum(usage.prompt_tokens_details.cached_tokens for usage in usages),
                sum(usage.completion_tokens for usage in usages),
            )
        ]
    )


def _prompts(request: CompletionRequest) -> list[Text]:
    if request.best_of is not None and request.best_of > (request.n or 1):
        raise Failure(
            "invalid",
            "best_of: answers are not compared here. Ask for several by “n”.",
            param="best_of",
        )
    prompts = texts_of(request.prompt, "prompt")
    if request.suffix and (request.echo or not all(isinstance(each, str) for each in prompts)):
        raise Failure(
            "invalid",
            "suffix: it goes with a text as the prompt, and without “echo”.",
            param="suffix",
        )
    if len(prompts) * (request.n or 1) > _MOST_PROMPTS:
        raise Failure("invalid", f"prompt: at most {_MOST_PROMPTS} answers in all.", param="prompt")
    return prompts


def _asked(request: CompletionRequest, prompt: Text) -> Asked:
    extended = applied(request.causeway)
    own = sampling_options(
        temperature=request.temperature,
        top_p=request.top_p,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        seed=request.seed,
        max_tokens=_USUAL_TOKENS if request.max_tokens is None else request.max_tokens,
        top_k=request.top_k,
        min_p=request.min_p,
        repeat_penalty=request.repetition_penalty
        if request.repeat_penalty is None
        else request.repeat_penalty,
    )
    return Asked(
        model=request.model,
        prompt=prompt,
        suffix=request.suffix or None,
        # A text that is only repeated needs no model for that.
        echo=bool(request.echo) and (request.logprobs is not None or isinstance(prompt, tuple)),
        options={**own, **extended.options},
        advised=extended.advised,
        stop=stops_of(request.stop),
        logit_bias=biases_of(request.logit_bias),
        grammar=extended.grammar,
        logprobs=-1 if request.logprobs is None else request.logprobs,
    )
