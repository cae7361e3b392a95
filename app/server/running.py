"""One answer: written on a thread, read in the server's event loop."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from app.server.failures import Failure, failure_of
from app.server.keeping import KeptAnswer
from app.whole_stream import whole
from backends.errors import EngineCrashed, LoadCancelled
from backends.protocol import (
    ChatRequest,
    ChatStream,
    Event,
    HistoryTrimmed,
    PromptProgress,
    Session,
    Warned,
)

_log = logging.getLogger(__name__)

_PRELUDE = (PromptProgress, HistoryTrimmed, Warned)
"""Events that come before it is clear that there will be an answer."""

_PATIENCE_SECONDS = 10.0
"""How long a prompt may be read before the response begins all the same, so that clients and proxies
see that something happens."""

UseSession = Callable[[threading.Event], AbstractContextManager[Session]]


class RunningAnswer:
    """The events of an answer, as an async iterator. `run` writes it, on a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._stream: ChatStream | None = None
        self._come: deque[Event] = deque()
        self._failure: Failure | None = None
        self._answers = False
        self._ended = False
        self._woken = False
        self._news = asyncio.Event()

    def run(
        self, use: UseSession, request: Callable[[], ChatRequest], kept: KeptAnswer | None
    ) -> None:
        """Blocks until the answer has ended. Never raises: readers are told."""
        failure: Failure | None = None
        try:
            planned = request()
            with use(self._cancelled) as session:
                self._tell_all(session.chat(planned), kept)
        except BaseException as error:
            failure = self._failure_of(error)
        if kept is not None and self._answers:  # before the client goes on from it
            kept.end(failure.message if failure else "")
        self._failure = failure
        self._ended = True
        self._wake()

    def cancel(self) -> None:
        """End it soon, whatever it is at; from any thread."""
        if self._ended:
            return
        self._cancelled.set()
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.close()

    async def begun(self) -> None:
        """Wait until it is clear that it is answered. Raises `Failure`."""
        limit: float | None = None
        while True:
            if self._answers:
                return
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                return
            if self._come and limit is None:
                limit = self._loop.time() + _PATIENCE_SECONDS
            try:
                async with asyncio.timeout_at(limit):
                    await self._news.wait()
            except TimeoutError:
                return
            self._news.clear()

    def __aiter__(self) -> "RunningAnswer":
        return self

    async def __anext__(self) -> Event:
        """Raises `Failure` where it breaks off."""
        while not self._come:
            if self._ended and not self._come:
                if self._failure is not None:
                    raise self._failure
                raise StopAsyncIteration
            await self._news.wait()
            self._news.clear()
        return self._come.popleft()

    def _tell_all(self, stream: ChatStream, kept: KeptAnswer | None) -> None:
        with self._lock:
            self._stream = stream
        if self._cancelled.is_set():
            stream.close()
        for event in whole(stream):
            if kept is not None:
                kept.add(event)
            self._come.append(event)
            self._answers = self._answers or not isinstance(event, _PRELUDE)
            self._wake()

    def _wake(self) -> None:
        """One call into the loop carries all that has come until it is heard."""
        with self._lock:
            if self._woken:
                return
            self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._hear)
        except RuntimeError:  # the loop is closed: nobody reads any more
            self.cancel()

    def _hear(self) -> None:
        with self._lock:
            self._woken = False
        self._news.set()

    def _failure_of(self, error: BaseException) -> Failure:
        if self._cancelled.is_set() and isinstance(error, LoadCancelled | EngineCrashed):
            return Failure("unavailable", "The answer was cancelled.", code="cancelled")
        failure = failure_of(error)
        if failure.kind == "internal":
            _log.error("an answer failed", exc_info=error)
        return failure
