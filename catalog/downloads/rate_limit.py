"""One bound on the bytes a second of all downloads together."""

import threading
import time
from collections.abc import Callable

_BURST_SECONDS = 0.1
_STEP_SECONDS = 0.05  # how soon a new limit or a cancel counts


class RateLimiter:
    """A token bucket that every connection of every download takes from. Thread-safe.

    `bytes_per_second` is asked anew each time, so that a changed setting counts at once; 0 or less
    means no limit.
    """

    def __init__(
        self,
        bytes_per_second: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bytes_per_second = bytes_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = 0.0
        self._filled = clock()

    def take(self, count: int, cancelled: threading.Event) -> None:
        """Wait until `count` more bytes may come; returns early when `cancelled` is set."""
        while (pause := self._pause(count)) > 0:
            if cancelled.wait(min(pause, _STEP_SECONDS)):
                return

    def _pause(self, count: int) -> float:
        """0 where the bytes were granted, else the seconds until it is worth asking again.

        Whoever finds a token left may take more than there is: the next ones wait for it.
        """
        rate = self._bytes_per_second()
        if rate <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            most = rate * _BURST_SECONDS
            self._tokens = min(most, self._tokens + (now - self._filled) * rate)
            self._filled = now
            if self._tokens >= 0:
                self._tokens -= count
                return 0.0
            return -self._tokens / rate
