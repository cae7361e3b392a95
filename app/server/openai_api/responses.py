"""/v1/responses."""

import time
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.openai_api.responses_objects import ResponseObject
from app.server.openai_api.responses_request import ResponsesRequest, asked_of
from app.server.openai_api.responses_stream import ResponseStream
from app.server.openai_api.sending import json_response, new_id
from app.server.streaming import SSE_IDLE, streamed
from backends.protocol import Event


class Responses:
    """Answers a conversation that the request brings whole."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, ResponsesRequest)
        asked = asked_of(wanted)
        model = self._answering.find(wanted.model).id
        stream = ResponseStream(_begun(wanted, model))
        answer = self._answering.answer(asked, request.state.note)
        if wanted.stream:
            return await streamed(answer, lambda events: _chunks(stream, events), idle=SSE_IDLE)
        async with answer as events:
            async for event in events:
                for _ in stream.feed(event):
                    pass
        return json_response(stream.response)


async def _chunks(stream: ResponseStream, events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    yield b"".join(stream.opening())
    try:
        async for event in events:
            if chunk := b"".join(stream.feed(event)):
                yield chunk
    except Failure as failure:
        yield b"".join(stream.fail(failure))


def _begun(request: ResponsesRequest, model: str) -> ResponseObject:
    wanted = request.text.format if request.text else None
    text = msgspec.to_builtins(wanted) if wanted else {"type": "text"}
    choice = request.tool_choice
    return ResponseObject(
        id=new_id("resp_"),
        created_at=int(time.time()),
        status="in_progress",
        model=model,
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        text={"format": {key: value for key, value in text.items() if value is not None}},
        tools=[msgspec.to_builtins(tool) for tool in request.tools or ()],
        tool_choice="auto" if choice is None else msgspec.to_builtins(choice),
        parallel_tool_calls=request.parallel_tool_calls is not False,
        metadata=request.metadata or {},
    )
