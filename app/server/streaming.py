"""Answers that go out bit by bit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.server.failures import Failure

T = TypeVar("T")

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
SSE_IDLE = b": still here\n\n"
"""A comment, which tells client and proxies that the connection is in use."""

_IDLE_SECONDS = 15.0
_STALLED_SECONDS = 120.0
"""A client that takes nothing for so long is given up."""


class EventStream(Response):
    """Sends what `chunks` makes of the events of an answer, each as soon as it is there.

    Make it with `streamed`, which waits for the answer to begin. It leaves the answer when all is
    sent, and when the client is gone, which cancels it. `idle` is sent when nothing else is for a while.
    """

    def __init__(
        self,
        answer: AbstractAsyncContextManager[object],
        chunks: AsyncIterator[bytes],
        media_type: str,
        idle: bytes = b"",
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-cache"
        self._answer = answer
        self._chunks = chunks
        self._idle = idle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with _Left(self._answer):
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if self._idle:
                await self._send_with_idle(send)
            else:
                async for chunk in self._chunks:
                    await _sent(send, chunk)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_with_idle(self, send: Send) -> None:
        """A timer beside the loop costs less for each chunk than a wait with a limit."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        sending = asyncio.Lock()

        async def keep_alive() -> None:
            while True:
                left = last + _IDLE_SECONDS - loop.time()
                if left > 0:
                    await asyncio.sleep(left)
                    continue
                async with sending:
                    await _sent(send, self._idle)
                await asyncio.sleep(_IDLE_SECONDS)

        beside = asyncio.create_task(keep_alive())
        try:
            async for chunk in self._chunks:
                last = loop.time()
                async with sending:
                    await _sent(send, chunk)
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside


class _Left:
    """Leaves an answer that was entered before."""

    def __init__(self, answer: AbstractAsyncContextManager[object]) -> None:
        self._answer = answer

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._answer.__aexit__(kind, error, traceback)


async def streamed(
    answer: AbstractAsyncContextManager[AsyncIterator[T]],
    chunks: Callable[[AsyncIterator[T]], AsyncIterator[bytes]],
    *,
    media_type: str = SSE,
    idle: bytes = b"",
) -> EventStream:
    """The response that sends an answer. Waits for it to begin and raises `Failure`, so that a
    refusal has its own status; `chunks` has to catch the failures that come later.

    Nothing may be awaited between this and the return of the response.
    """
    events = await answer.__aenter__()
    return EventStream(answer, chunks(events), media_type, idle)


async def _sent(send: Send, chunk: bytes) -> None:
    try:
        async with asyncio.timeout(_STALLED_SECONDS):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError:
        raise Failure("unavailable", "The client takes nothing any more.", code="stalled") from None
