"""`/api/pull`: a model is fetched, and the client told how far it is."""

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.ollama_api.errors import error_report
from app.server.ollama_api.requests import PullRequest
from app.server.ollama_api.responses import PullStatus, line
from app.server.streaming import NDJSON, streamed
from catalog.downloads.wanted import DownloadState

_DONE = PullStatus(status="success")


class PullEndpoint:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    @property
    def route(self) -> Route:
        return Route("/api/pull", self.pull, methods=["POST"])

    async def pull(self, request: Request) -> Response:
        """A model that is here needs no pulling, and clients often ask to be sure."""
        wanted = await decoded(request, PullRequest)
        if not wanted.wanted.strip():
            raise Failure("invalid", "model: it is empty. Name a model.", param="model")
        streams = wanted.stream is not False
        try:
            self._answering.find(wanted.wanted)
        except Failure as failure:
            if failure.kind != "not_found":
                raise
        else:
            return Response(line(_DONE), media_type=NDJSON) if streams else _json(_DONE)
        pull = self._answering.pull(wanted.wanted)
        if streams:
            return await streamed(pull, self._lines, media_type=NDJSON)
        async with pull as states:
            async for _ in states:
                pass
        await self._answering.look_again()
        return _json(_DONE)

    async def _lines(self, states: AsyncIterator[DownloadState]) -> AsyncIterator[bytes]:
        told: PullStatus | None = None
        try:
            yield line(PullStatus(status="pulling manifest"))
            async for state in states:
                status = _status(state)
                if status != told:
                    told = status
                    yield line(status)
        except Failure as failure:
            yield line(error_report(failure))
            return
        await self._answering.look_again()
        yield line(_DONE)


def _status(state: DownloadState) -> PullStatus:
    """Clients draw a bar for what has a digest and a total."""
    if state.total is None:
        return PullStatus(status="pulling manifest")
    checksum = state.request.files[0].sha256 or ""
    return PullStatus(
        status=f"pulling {checksum[:12] or state.request.title}",
        digest=f"sha256:{checksum}" if checksum else state.request.id,
        total=state.total,
        completed=state.done,
    )


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
