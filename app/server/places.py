"""How many requests are in work, and how many may wait for that."""

import asyncio
from collections import deque

from app.server.failures import Failure

_RETRY_SECONDS = 2


class Places:
    """Hands out places in the order of asking. For one event loop's thread alone."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._line: deque[asyncio.Future[None]] = deque()
        self._closed = False
        self.in_work = 0

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def take(self) -> None:
        """Raises `Failure` where too many wait already."""
        if self._closed:
            raise _closing()
        if self._free > 0 and not self._line:
            self._free -= 1
            self.in_work += 1
            return
        if len(self._line) >= self._most_waiting:
            raise Failure(
                "busy",
                f"Too many requests wait already: {len(self._line)}. Try again in a moment.",
                code="rate_limit_exceeded",
                retry_after=_RETRY_SECONDS,
            )
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.give_back()  # it was handed out this moment
            elif place in self._line:
                self._line.remove(place)
            raise

    def close(self) -> None:
        """Hand out no more: who waits is told so."""
        self._closed = True
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_exception(_closing())

    def give_back(self) -> None:
        self.in_work -= 1
        self._free += 1
        while self._free > 0 and self._line:
            place = self._line.popleft()
            if not place.done():
                self._free -= 1
                self.in_work += 1
                place.set_result(None)


def _closing() -> Failure:
    return Failure("unavailable", "The server is being stopped.", code="stopping")
