"""/v1/responses."""

import time
from collections.abc import AsyncIterator, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.openai_api.responses_objects import DeletedResponse, ResponseObject
from app.server.openai_api.responses_request import ResponsesRequest, asked_of, conversation_of
from app.server.openai_api.responses_stream import ResponseStream
from app.server.openai_api.sending import json_response, new_id
from app.server.openai_api.stored_responses import StoredResponses
from app.server.streaming import SSE_IDLE, streamed
from backends.protocol import Event, Finished, Message


class Responses:
    """Answers a conversation that the request brings whole, or goes on with one that is stored."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._stored = StoredResponses()

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, ResponsesRequest)
        earlier: tuple[Message, ...] = ()
        if wanted.previous_response_id:
            earlier = self._stored.find(
                wanted.previous_response_id, "previous_response_id"
            ).messages
        conversation = conversation_of(wanted, earlier)
        asked = asked_of(wanted, conversation)
        model = self._answering.find(wanted.model).id
        stream = ResponseStream(_begun(wanted, model))

        def keep() -> None:
            if wanted.store is not False:
                self._stored.keep(stream.response, conversation)

        answer = self._answering.answer(asked, request.state.note)
        if wanted.stream:
            return await streamed(
                answer, lambda events: _chunks(stream, events, keep), idle=SSE_IDLE
            )
        async with answer as events:
            async for event in events:
                for _ in stream.feed(event):
                    pass
        keep()
        return json_response(stream.response)

    async def one(self, request: Request) -> Response:
        return json_response(self._stored.find(request.path_params["id"]).response)

    async def delete(self, request: Request) -> Response:
        response_id = request.path_params["id"]
        self._stored.delete(response_id)
        return json_response(DeletedResponse(id=response_id))


async def _chunks(
    stream: ResponseStream, events: AsyncIterator[Event], keep: Callable[[], None]
) -> AsyncIterator[bytes]:
    yield b"".join(stream.opening())
    try:
        async for event in events:
            chunk = b"".join(stream.feed(event))
            if isinstance(event, Finished):
                keep()  # before the client can go on from it
            if chunk:
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
        previous_response_id=request.previous_response_id,
        store=request.store is not False,
        metadata=request.metadata or {},
    )
