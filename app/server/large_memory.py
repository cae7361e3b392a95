"""Memory of large requests, given back to the system once they are done."""

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable

_LARGE_BYTES = 1_000_000
_PAUSES = (1.0, 5.0, 30.0)
"""Seconds: soon, once the threads have let go, and once cycles of objects were collected."""


class LargeMemory:
    """Asks the C library to return freed memory: after a burst of large bodies it holds hundreds of
    megabytes. For one event loop's thread alone.
    """

    def __init__(self) -> None:
        self._trim = _trim()
        self._due: list[asyncio.TimerHandle] = []

    def note(self, size: int) -> None:
        """A request of so many bytes is done."""
        if size < _LARGE_BYTES or self._trim is None:
            return
        for handle in self._due:
            handle.cancel()
        loop = asyncio.get_running_loop()
        self._due = [loop.call_later(pause, self._give_back) for pause in _PAUSES]

    def _give_back(self) -> None:
        if gc.isenabled():  # the window collects on its own thread, and often
            gc.collect()
        if self._trim is not None:
            self._trim(0)


def _trim() -> Callable[[int], int] | None:
    """glibc's; other systems' allocators give large pieces back by themselves."""
    if sys.platform != "linux":
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return None
    return trim
