"""The paths of the Ollama API that are about models, and those that make vectors with them."""

import math
import time
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.ollama_api.keep_alive import seconds_of
from app.server.ollama_api.listing import listed, running, shown
from app.server.ollama_api.pulled import PullEndpoint
from app.server.ollama_api.requests import EmbeddingsRequest, EmbedRequest, NamedModel
from app.server.ollama_api.responses import (
    EmbedAnswer,
    EmbeddingsAnswer,
    RunningModels,
    Version,
)
from app.versions import installed_version

OLLAMA_VERSION = "0.12.11"
"""Whose API this is. Clients compare it and refuse what is older than they want."""

_ELSEWHERE = {
    "/api/push": "Models are not published from Causeway.",
    "/api/create": "Make models in Causeway, or with “causeway quantize” and “causeway merge”.",
    "/api/copy": "A model in Causeway has one name.",
    "/api/delete": "Remove models in Causeway, on the page Models, or with “causeway remove”.",
    "/api/blobs/{digest}": "Add models in Causeway, on the page Models, or with “causeway pull”.",
}


def model_routes(answering: Answering) -> list[Route]:
    endpoints = _Endpoints(answering)
    return [
        Route("/", _probe, methods=["GET", "HEAD"]),
        Route("/api/version", _version, methods=["GET", "HEAD"]),
        Route("/api/tags", endpoints.tags, methods=["GET", "HEAD"]),
        Route("/api/ps", endpoints.running, methods=["GET", "HEAD"]),
        Route("/api/show", endpoints.show, methods=["POST"]),
        PullEndpoint(answering).route,
        Route("/api/embed", endpoints.embed, methods=["POST"]),
        Route("/api/embeddings", endpoints.embeddings, methods=["POST"]),
        *(
            Route(path, _refusal(words), methods=["GET", "POST", "DELETE"])
            for path, words in _ELSEWHERE.items()
        ),
    ]


class _Endpoints:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def tags(self, request: Request) -> Response:
        return _json(listed(self._answering.served()))

    async def running(self, request: Request) -> Response:
        loaded = self._answering.loaded()
        if loaded is None:
            return _json(RunningModels(()))
        return _json(running(*loaded, self._answering.seconds_left()))

    async def show(self, request: Request) -> Response:
        wanted = await decoded(request, NamedModel)
        return _json(shown(self._answering.find(wanted.wanted)))

    async def embed(self, request: Request) -> Response:
        started = time.perf_counter()
        wanted = await decoded(request, EmbedRequest)
        texts = (wanted.input,) if isinstance(wanted.input, str) else wanted.input
        vectors: tuple[tuple[float, ...], ...] = ()
        tokens = 0
        if texts:
            kept_for = seconds_of(wanted.keep_alive)
            made = await self._answering.embed(wanted.model, texts, request.state.note)
            self._answering.keep(wanted.model, kept_for)
            vectors, tokens = made.vectors, made.tokens
        if wanted.dimensions:
            vectors = tuple(_cut(vector, wanted.dimensions) for vector in vectors)
        return _json(
            EmbedAnswer(
                model=wanted.model,
                embeddings=vectors,
                total_duration=round((time.perf_counter() - started) * 1e9),
                load_duration=0,
                prompt_eval_count=tokens,
            )
        )

    async def embeddings(self, request: Request) -> Response:
        wanted = await decoded(request, EmbeddingsRequest)
        if not wanted.prompt:
            self._answering.find(wanted.model)
            return _json(EmbeddingsAnswer(()))
        kept_for = seconds_of(wanted.keep_alive)
        made = await self._answering.embed(wanted.model, (wanted.prompt,), request.state.note)
        self._answering.keep(wanted.model, kept_for)
        return _json(EmbeddingsAnswer(made.vectors[0]))


async def _probe(request: Request) -> Response:
    """Clients look here whether somebody answers, some of them for these very words."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/docs")
    return PlainTextResponse("Ollama is running")


async def _version(request: Request) -> Response:
    return _json(Version(version=OLLAMA_VERSION, causeway=installed_version("causeway")))


def _refusal(words: str) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(request: Request) -> Response:
        raise Failure("invalid", f"{request.url.path} is not offered here. {words}")

    return refuse


def _cut(vector: tuple[float, ...], dimensions: int) -> tuple[float, ...]:
    """The vector's first numbers, of norm 1 again."""
    first = vector[:dimensions]
    norm = math.hypot(*first) or 1.0
    return tuple(number / norm for number in first)


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
