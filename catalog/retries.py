"""When to try again, and when to give up."""

import email.utils
import re
import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from catalog.errors import DownloadError

_LONGEST_PAUSE_SECONDS = 30.0
_NEVER_SECONDS = 1e9
_STEP_SECONDS = 0.5
_WINDOW_LEFT = re.compile(r"(?:^|;)\s*t=(\d+)")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a server, and how often to try again when nothing comes.

    The pause between tries doubles from `pause_seconds` on, up to half a minute. A connection that
    has brought something before is given more tries: `attempts_under_way`. A server that asks for a
    pause gets it, up to `longest_asked_seconds`.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    attempts: int = 5
    attempts_under_way: int = 10
    pause_seconds: float = 0.5
    longest_asked_seconds: float = 600.0


class Interrupted(Exception):
    """A failure that may pass by itself; `pause_seconds` is what the server asked to wait."""

    def __init__(self, what: str, why: str = "", pause_seconds: float = 0.0) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.pause_seconds = pause_seconds


class Retries:
    """Counts tries that brought nothing, and waits between them."""

    def __init__(self, cancelled: threading.Event, patience: Patience) -> None:
        self._cancelled = cancelled
        self._patience = patience
        self._attempts = patience.attempts
        self._failures = 0

    def reset(self) -> None:
        """There was progress: start counting anew."""
        self._failures = 0
        self._attempts = max(self._patience.attempts, self._patience.attempts_under_way)

    def wait_after(
        self,
        failure: Interrupted,
        fix: str,
        on_wait: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Wait until the next try, telling `on_wait` the seconds that are left.

        Raises `DownloadError` where it was the last one, or where the server asks for more
        patience than anyone has.
        """
        self._failures += 1
        if self._failures >= self._attempts:
            raise DownloadError(failure.what, failure.why, fix) from failure
        if failure.pause_seconds > self._patience.longest_asked_seconds:
            why = f"It asks to be left alone for {pause_text(failure.pause_seconds)}."
            raise DownloadError(failure.what, why, fix) from failure
        own = self._patience.pause_seconds * 2 ** (self._failures - 1)
        until = time.monotonic() + max(min(own, _LONGEST_PAUSE_SECONDS), failure.pause_seconds)
        while (left := until - time.monotonic()) > 0 and not self._cancelled.is_set():
            on_wait(left)
            self._cancelled.wait(min(left, _STEP_SECONDS))


def pause_text(seconds: float) -> str:
    """“1 second”, “55 seconds”, “2 minutes”, “3 hours”."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length):,} {unit}s"
    whole = max(1, round(seconds))
    return "1 second" if whole == 1 else f"{whole} seconds"


def asked_pause(headers: Mapping[str, str]) -> float:
    """The seconds that a server asks to wait, by `Retry-After` or `RateLimit`; 0 where it does not."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return min(float(asked), _NEVER_SECONDS)
    if asked:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
        except (ValueError, OverflowError):
            return 0.0
    window = _WINDOW_LEFT.search(headers.get("RateLimit", ""))
    return min(float(window[1]), _NEVER_SECONDS) if window else 0.0
