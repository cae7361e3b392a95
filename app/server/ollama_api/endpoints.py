"""The paths of the Ollama API by which models answer."""

from collections.abc import AsyncIterator, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.server.answering import Answering
from app.server.asked import Asked
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.ollama_api.answer import AnswerPieces, Piece, chat_part, generate_part, whole
from app.server.ollama_api.asking import asked_in_chat, asked_to_generate
from app.server.ollama_api.errors import error_report
from app.server.ollama_api.keep_alive import seconds_of
from app.server.ollama_api.requests import ChatRequest, GenerateRequest
from app.server.ollama_api.responses import ChatPart, GeneratePart, line
from app.server.streaming import NDJSON, streamed
from backends.protocol import Event, Message

Shaped = Callable[[str, Piece], ChatPart | GeneratePart]


def answering_routes(answering: Answering) -> list[Route]:
    endpoints = _Endpoints(answering)
    return [
        Route("/api/chat", endpoints.chat, methods=["POST"]),
        Route("/api/generate", endpoints.generate, methods=["POST"]),
    ]


class _Endpoints:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def chat(self, request: Request) -> Response:
        wanted = await decoded(request, ChatRequest)
        if not wanted.messages:
            return await self._load(request, wanted, chat_part)
        return await self._answer(request, wanted, asked_in_chat(wanted, wanted.model), chat_part)

    async def generate(self, request: Request) -> Response:
        wanted = await decoded(request, GenerateRequest)
        if not wanted.prompt:
            return await self._load(request, wanted, generate_part)
        plain = bool(wanted.raw) or self._answering.find(wanted.model).kind == "completion"
        asked = asked_to_generate(wanted, wanted.model, as_it_stands=plain)
        return await self._answer(request, wanted, asked, generate_part)

    async def _answer(
        self, request: Request, wanted: ChatRequest | GenerateRequest, asked: Asked, shaped: Shaped
    ) -> Response:
        pieces = AnswerPieces(shows_thinking=wanted.think is not False, alternatives=asked.logprobs)
        kept_for = seconds_of(wanted.keep_alive)
        answer = self._answering.answer(asked, request.state.note)
        if wanted.stream is not False:
            response = await streamed(
                answer,
                lambda events: _lines(pieces, events, wanted.model, shaped),
                media_type=NDJSON,
            )
            self._answering.keep(wanted.model, kept_for)
            return response
        async with answer as events:
            self._answering.keep(wanted.model, kept_for)
            come = [piece async for event in events if (piece := pieces.feed(event))]
        return _json(shaped(wanted.model, whole(come)))

    async def _load(
        self, request: Request, wanted: ChatRequest | GenerateRequest, shaped: Shaped
    ) -> Response:
        """Counting needs the model in memory. One of a service has nothing to load."""
        kept_for = seconds_of(wanted.keep_alive)
        pieces = AnswerPieces(shows_thinking=False)
        model = self._answering.find(wanted.model)
        if kept_for == 0:
            await self._answering.unload(wanted.model)
            return _json(shaped(wanted.model, pieces.loaded("unload")))
        if model.kind == "embedding":
            raise Failure("invalid", f"{model.name} makes vectors of texts. It can't answer.")
        if model.capabilities.count_tokens:
            nothing = (Message(role="user", content=""),)
            await self._answering.count_tokens(wanted.model, nothing, request.state.note)
        self._answering.keep(wanted.model, kept_for)
        return _json(shaped(wanted.model, pieces.loaded()))


async def _lines(
    pieces: AnswerPieces, events: AsyncIterator[Event], model: str, shaped: Shaped
) -> AsyncIterator[bytes]:
    try:
        async for event in events:
            if piece := pieces.feed(event):
                yield line(shaped(model, piece))
    except Failure as failure:
        yield line(error_report(failure))


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
