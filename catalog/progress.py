"""What a download says of itself while it runs."""

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

import msgspec

Stage = Literal["finding", "downloading", "verifying", "unpacking"]

_REPORT_SECONDS = 0.1
_WINDOW_SECONDS = 5.0
_STEADY_SECONDS = 0.5  # before that, a speed is a guess


class DownloadProgress(msgspec.Struct, frozen=True):
    """Bytes `done` of `total` in this stage; `total` and `seconds_left` are None while unknown.

    `note` says in words what holds it up just now; `elsewhere`: another process is fetching it.
    """

    stage: Stage
    done: int = 0
    total: int | None = None
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    note: str = ""
    elsewhere: bool = False


class Meter:
    """Passes progress on about ten times a second, with a speed smoothed over some seconds."""

    def __init__(
        self,
        on_progress: Callable[[DownloadProgress], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_progress = on_progress
        self._clock = clock
        self._stage: Stage | None = None
        self._note = ""
        self._reported = 0.0
        self._samples: deque[tuple[float, int]] = deque()

    def report(
        self,
        stage: Stage,
        done: int = 0,
        total: int | None = None,
        *,
        note: str = "",
        elsewhere: bool = False,
    ) -> None:
        now = self._clock()
        is_news = stage != self._stage or done == total or bool(note) != bool(self._note)
        if stage != self._stage or (self._samples and done < self._samples[-1][1]):
            self._samples.clear()
        if not is_news and now - self._reported < _REPORT_SECONDS:
            return
        self._stage, self._note, self._reported = stage, note, now
        self._samples.append((now, done))
        while now - self._samples[0][0] > _WINDOW_SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        speed = self._speed()
        left = (total - done) / speed if total is not None and speed > 0 else None
        self._on_progress(DownloadProgress(stage, done, total, speed, left, note, elsewhere))

    def _speed(self) -> float:
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        return (last - first) / (end - start) if end - start >= _STEADY_SECONDS else 0.0
