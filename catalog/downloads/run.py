"""One download of the queue while it is being fetched, on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import msgspec

from catalog.downloads.fetch import FetchedFile
from catalog.downloads.listing import bytes_there, size_of
from catalog.downloads.queue_file import QueuedDownload
from catalog.downloads.wanted import DownloadProblem, WantedFile
from catalog.errors import CatalogError, DownloadCancelled
from catalog.progress import DownloadProgress, Stage

_log = logging.getLogger(__name__)

_QUIET_SECONDS = 1.0
_FADING_SECONDS = 4.0


class FetchOne(Protocol):
    """Gets one file: `fetch_file` with everything but these given."""

    def __call__(
        self,
        wanted: WantedFile,
        *,
        on_progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> FetchedFile: ...


def problem_of(error: CatalogError | None) -> DownloadProblem | None:
    return None if error is None else DownloadProblem(error.what, error.why, error.fix)


class Advance(msgspec.Struct, frozen=True):
    """How far a run is: bytes of all files together. `total` is None while a size is unknown.

    `note` and `elsewhere` are of the file that is being fetched.
    """

    stage: Stage
    done: int
    total: int | None
    note: str = ""
    elsewhere: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: with every file, with a problem, or stopped from outside (neither)."""

    fetched: tuple[FetchedFile, ...] = ()
    is_done: bool = False
    problem: DownloadProblem | None = None


class Run:
    """Fetches the files of a download in order, holding the claim on it.

    Attributes:
        download: what is fetched, as it was queued when the run began.
        is_stopping: whether it was told to stop.
    """

    def __init__(
        self,
        download: QueuedDownload,
        claim: ExitStack,
        folder: Path,
        fetch: FetchOne,
        *,
        on_advance: Callable[[], None],
        on_file: Callable[["Run", WantedFile], None],
        on_end: Callable[["Run", Outcome], None],
    ) -> None:
        self.download = download
        self._claim = claim
        self._folder = folder
        self._fetch = fetch
        self._on_advance = on_advance
        self._on_file = on_file
        self._on_end = on_end
        self._cancelled = threading.Event()
        self._reason: CatalogError | None = None
        self._files = download.request.files
        self._done = [bytes_there(file, folder) for file in self._files]
        self._sizes = [size_of(file, folder) for file in self._files]
        self._speed = 0.0
        self._heard = time.monotonic()
        self.advance = self._sum("finding")
        self._thread = threading.Thread(target=self._work, name=f"download {download.id}")

    @property
    def is_stopping(self) -> bool:
        return self._cancelled.is_set()

    @property
    def bytes_per_second(self) -> float:
        """What it takes now: when nothing arrives, the speed fades, as its mean over some seconds does."""
        quiet = time.monotonic() - self._heard - _QUIET_SECONDS
        return self._speed * min(1.0, max(0.0, 1 - quiet / _FADING_SECONDS))

    @property
    def targets(self) -> frozenset[str]:
        """Where its files go."""
        return frozenset(file.target for file in self._files)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self, reason: CatalogError | None = None) -> None:
        """End it soon, from any thread; with a reason it counts as failed."""
        if not self._cancelled.is_set():
            self._reason = reason
            self._cancelled.set()

    def join(self) -> None:
        self._thread.join()

    def release(self) -> None:
        """Give the claim back."""
        self._claim.close()

    def _work(self) -> None:
        self._on_end(self, self._fetch_all())

    def _fetch_all(self) -> Outcome:
        fetched: list[FetchedFile] = []
        try:
            for number, file in enumerate(self._files):
                fetched.append(self._fetch_file(number, file))
        except DownloadCancelled:
            return Outcome(problem=problem_of(self._reason))
        except CatalogError as error:
            # What goes wrong while it is being stopped is no failure.
            return Outcome(problem=problem_of(self._reason if self._cancelled.is_set() else error))
        except Exception as error:
            _log.exception("the download of %s broke down", self.download.id)
            return Outcome(
                problem=DownloadProblem(
                    "The download broke down.",
                    f"{type(error).__name__}: {error}",
                    "Retry: what was fetched is kept.",
                )
            )
        return Outcome(fetched=tuple(fetched), is_done=True)

    def _fetch_file(self, number: int, file: WantedFile) -> FetchedFile:
        if self._cancelled.is_set():
            raise DownloadCancelled("The download was cancelled.")
        was_there = (self._folder / file.target).exists()
        fetched = self._fetch(
            file,
            on_progress=lambda progress: self._take(number, progress),
            cancelled=self._cancelled,
        )
        size = self._sizes[number] or fetched.size_bytes
        self._sizes[number] = self._done[number] = size
        self.advance = self._sum("finding")
        if not was_there:
            self._on_file(self, file)
        return fetched

    def _take(self, number: int, progress: DownloadProgress) -> None:
        if progress.stage == "downloading":
            self._done[number] = progress.done
            if progress.total is not None:
                self._sizes[number] = progress.total
            speed = 0.0 if progress.elsewhere else progress.bytes_per_second
            self._speed, self._heard = speed, time.monotonic()
        self.advance = self._sum(progress.stage, progress.note, elsewhere=progress.elsewhere)
        self._on_advance()

    def _sum(self, stage: Stage, note: str = "", *, elsewhere: bool = False) -> Advance:
        sizes = [size for size in self._sizes if size is not None]
        total = sum(sizes) if len(sizes) == len(self._sizes) else None
        done = sum(self._done)
        total = None if total is None else max(total, done)
        return Advance(stage, done, total, note, elsewhere)
