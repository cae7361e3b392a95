"""The paths of the Anthropic API."""

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.server.answering import Answering
from app.server.anthropic_api.answer import AnswerStream, WholeAnswer
from app.server.anthropic_api.asking import (
    asked_of,
    counted_messages,
    omits_thinking,
    shows_thinking,
)
from app.server.anthropic_api.errors import error_report
from app.server.anthropic_api.requests import CountRequest, MessagesRequest
from app.server.anthropic_api.responses import AnsweredMessage, Ping, TokenCount, server_sent
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.operations import Operation
from app.server.streaming import streamed
from backends.protocol import Event

OPERATIONS = (
    Operation(
        api="Anthropic",
        method="POST",
        path="/v1/messages",
        summary="Answer a conversation.",
        request=MessagesRequest,
        response=AnsweredMessage,
        streams="text/event-stream",
    ),
    Operation(
        api="Anthropic",
        method="POST",
        path="/v1/messages/count_tokens",
        summary="Count the tokens of a conversation.",
        request=CountRequest,
        response=TokenCount,
    ),
)


def routes(answering: Answering) -> list[Route]:
    endpoints = _Endpoints(answering)
    return [
        Route("/v1/messages", endpoints.messages, methods=["POST"]),
        Route("/v1/messages/count_tokens", endpoints.count_tokens, methods=["POST"]),
    ]


class _Endpoints:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def messages(self, request: Request) -> Response:
        wanted = await decoded(request, MessagesRequest)
        answer = self._answering.answer(asked_of(wanted), request.state.note)
        stream = AnswerStream(
            wanted.model,
            shows_thinking=shows_thinking(wanted),
            omits_thinking=omits_thinking(wanted),
        )
        if wanted.stream:
            return await streamed(
                answer, lambda events: _chunks(stream, events), idle=server_sent(Ping())
            )
        whole = WholeAnswer()
        async with answer as events:
            async for event in events:
                for told in stream.feed(event):
                    whole.feed(told)
        return _json(whole.message())

    async def count_tokens(self, request: Request) -> Response:
        wanted = await decoded(request, CountRequest)
        count = await self._answering.count_tokens(
            wanted.model, counted_messages(wanted), request.state.note
        )
        return _json(TokenCount(count))


async def _chunks(stream: AnswerStream, events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    try:
        async for event in events:
            if told := b"".join(server_sent(each) for each in stream.feed(event)):
                yield told
    except Failure as failure:
        yield server_sent(error_report(failure))


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
