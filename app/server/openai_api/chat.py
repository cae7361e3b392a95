"""/v1/chat/completions."""

import time
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering, ServedModel
from app.server.bodies import decoded
from app.server.openai_api.chat_request import ChatCompletionRequest, asked_of
from app.server.openai_api.chat_response import (
    ChatCompletion,
    ChatCompletionChunk,
    ChoiceStream,
    ChunkChoice,
    whole_usage,
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
from app.server.streaming import SSE_IDLE, streamed


class ChatCompletions:
    """Answers a chat."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, ChatCompletionRequest)
        asked = asked_of(wanted)
        model = self._answering.find(wanted.model)
        count = wanted.n or 1
        answer = answers(self._answering, variants(asked, count), request.state.note)
        streams = [ChoiceStream(index, is_legacy=wanted.is_legacy) for index in range(count)]
        if wanted.stream:
            options = wanted.stream_options
            with_usage = options is not None and bool(options.include_usage)
            return await streamed(
                answer,
                lambda events: with_errors(_chunks(streams, events, model, with_usage)),
                idle=SSE_IDLE,
            )
        async with answer as events:
            async for index, event in events:
                streams[index].feed(event)
        return json_response(
            ChatCompletion(
                id=new_id("chatcmpl-"),
                created=int(time.time()),
                model=model.id,
                system_fingerprint=fingerprint_of(model),
                choices=[each.whole(with_logprobs=asked.logprobs >= 0) for each in streams],
                usage=whole_usage(streams),
            )
        )


async def _chunks(
    streams: list[ChoiceStream],
    events: AsyncIterator[Indexed],
    model: ServedModel,
    with_usage: bool,
) -> AsyncIterator[bytes]:
    frame = ChatCompletionChunk(
        id=new_id("chatcmpl-"),
        created=int(time.time()),
        model=model.id,
        system_fingerprint=fingerprint_of(model),
        choices=[],
        usage=None if with_usage else msgspec.UNSET,
    )

    def chunk(choice: ChunkChoice) -> bytes:
        return sse(msgspec.structs.replace(frame, choices=[choice]))

    yield b"".join(chunk(stream.opening()) for stream in streams)
    async for index, event in events:
        if (choice := streams[index].feed(event)) is not None:
            yield chunk(choice)
    if with_usage:
        yield sse(msgspec.structs.replace(frame, usage=whole_usage(streams)))
    yield DONE
