"""The downloads that this process fetches, begun and ended as the list of downloads wants it."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from catalog.downloads import wishes
from catalog.downloads.cancelled import discard
from catalog.downloads.claims import Claims
from catalog.downloads.fetch import FetchedFile
from catalog.downloads.listing import BytesThere, state_at_rest
from catalog.downloads.queue_file import QueuedDownload, QueueFile
from catalog.downloads.run import FetchOne, Outcome, Run, problem_of
from catalog.downloads.wanted import DownloadState, WantedFile
from catalog.errors import CatalogError

_log = logging.getLogger(__name__)

OnDone = Callable[[DownloadState, Sequence[FetchedFile]], None]


class Runs:
    """At most one run a download, in all processes together. Thread-safe.

    `on_done` is called on the run's thread, before the download counts as done; `on_news` on any
    thread whenever a run has something to tell.
    """

    def __init__(
        self,
        file: QueueFile,
        claims: Claims,
        folder: Path,
        fetch: FetchOne,
        *,
        is_offline: Callable[[], bool],
        on_done: OnDone | None,
        on_news: Callable[[], None],
    ) -> None:
        self._file = file
        self._claims = claims
        self._folder = folder
        self._fetch = fetch
        self._is_offline = is_offline
        self._on_done = on_done
        self._on_news = on_news
        self._lock = threading.Lock()
        self._running: dict[str, Run] = {}
        self._bytes_there = BytesThere(folder)
        self._closed = False

    def __len__(self) -> int:
        return len(self._running)

    def close(self) -> None:
        """Stop them all, without changing what is wanted, and wait for their ends."""
        with self._lock:
            self._closed = True
            running = list(self._running.values())
        for run in running:
            run.stop()
        for run in running:
            run.join()

    def begin(self, download_id: str, claim: ExitStack | None = None) -> Run | None:
        """Fetch a download that waits; None where it doesn't wait, or somebody fetches it already.

        `claim` is the claim on it, where the caller has taken that.
        """
        try:
            claim = claim or self._claims.take(download_id)
        except CatalogError as error:
            self._fail(download_id, error)
            return None
        if claim is None:
            return None
        with ExitStack() as unless_begun:
            unless_begun.push(claim)
            # Read after the claim: another process may have ended it since.
            download = wishes.find(self._file.read(), download_id)
            if download is None or download.wish != "waiting":
                return None
            run = Run(
                download,
                claim,
                self._folder,
                self._fetch,
                on_advance=self._on_news,
                on_file=self._note_file,
                on_end=self._end,
            )
            with self._lock:
                if self._closed or not self._is_free(run):
                    return None
                self._running[download_id] = run
                run.start()
            unless_begun.pop_all()
        self._on_news()
        return run

    def obey(self) -> None:
        """Stop what is not wanted any more. Raises `CatalogError` where the list can't be read."""
        downloads = self._file.read()
        for download_id, run in self._snapshot().items():
            wanted = wishes.find(downloads, download_id)
            if wanted is None or wanted.wish != "waiting":
                run.stop()
        for download in downloads:
            if download.wish == "cancelled":
                self._bury(download)

    def stop_where_offline(self) -> None:
        """Let fail what runs, where the person has switched to working offline."""
        running = self._snapshot()
        if not running or not self._is_offline():
            return
        # Imported here since it takes 0.3 s, which the start of the window can't spare.
        from catalog.http import Offline

        for run in running.values():
            run.stop(Offline())

    def total_speed(self) -> float:
        return sum(run.bytes_per_second for run in self._snapshot().values())

    def states(self) -> tuple[DownloadState, ...]:
        """All downloads that a person sees, in order."""
        downloads = self._file.read()
        running = self._snapshot()
        return tuple(
            self._state(each, running.get(each.id))
            for each in downloads
            if each.wish != "cancelled"
        )

    def _is_free(self, run: Run) -> bool:
        """Whether nothing that runs fetches the same download, or one with the same files."""
        return all(
            other.download.id != run.download.id and not other.targets & run.targets
            for other in self._running.values()
        )

    def _snapshot(self) -> dict[str, Run]:
        with self._lock:
            return dict(self._running)

    def _state(self, download: QueuedDownload, run: Run | None) -> DownloadState:
        if run is None:
            elsewhere = download.wish == "waiting" and self._claims.is_taken(download.id)
            done = self._bytes_there.of(download, elsewhere=elsewhere)
            return state_at_rest(download, done, elsewhere=elsewhere)
        advance = run.advance
        if download.wish != "waiting" or run.is_stopping:
            return state_at_rest(download, advance.done)
        speed = run.bytes_per_second
        left = None
        if advance.total is not None and speed > 0:
            left = (advance.total - advance.done) / speed
        return DownloadState(
            request=download.request,
            phase="running",
            added_at=download.added_at,
            stage=advance.stage,
            done=advance.done,
            total=advance.total,
            bytes_per_second=speed,
            seconds_left=left,
            elsewhere=advance.elsewhere,
            note=advance.note,
        )

    def _note_file(self, run: Run, file: WantedFile) -> None:
        self._keep(wishes.note_fetched(run.download.id, file.target))

    def _end(self, run: Run, outcome: Outcome) -> None:
        """On the run's thread, as its last act."""
        download_id = run.download.id
        try:
            if outcome.is_done and self._on_done is not None and self._is_wanted(download_id):
                self._tell_done(self._on_done, run, outcome)
            self._keep(wishes.settle(run.download, outcome, run.advance.total))
            self._discard_if_cancelled(download_id)
        finally:
            self._bytes_there.forget(download_id)
            run.release()
            with self._lock:
                del self._running[download_id]
            self._on_news()

    def _is_wanted(self, download_id: str) -> bool:
        try:
            download = wishes.find(self._file.read(), download_id)
        except CatalogError:
            return True
        return download is not None and download.wish != "cancelled"

    def _tell_done(self, on_done: OnDone, run: Run, outcome: Outcome) -> None:
        ended = [run.download]
        wishes.settle(run.download, outcome, run.advance.total)(ended)
        try:
            on_done(state_at_rest(ended[0], run.advance.done), outcome.fetched)
        except Exception:
            _log.exception("what follows the download of %s broke down", run.download.id)

    def _fail(self, download_id: str, error: CatalogError) -> None:
        download = wishes.find(self._file.read(), download_id)
        if download is not None:
            self._keep(wishes.settle(download, Outcome(problem=problem_of(error)), download.total))

    def _bury(self, download: QueuedDownload) -> None:
        try:
            claim = self._claims.take(download.id)
        except CatalogError as error:
            _log.info("files of %s are still to be deleted: %s", download.id, error)
            return
        if claim is not None:  # else whoever fetches it does this, once it has stopped
            with claim:
                self._discard_if_cancelled(download.id)

    def _discard_if_cancelled(self, download_id: str) -> None:
        """Delete what a cancelled download brought; the claim on it is held."""
        try:
            downloads = self._file.read()
            download = wishes.find(downloads, download_id)
            if download is None or download.wish != "cancelled":
                return
            discard(download, [each for each in downloads if each is not download], self._folder)
        except (OSError, CatalogError) as error:  # in use, on Windows: tried again
            _log.info("files of %s are still to be deleted: %s", download_id, error)
            return
        self._keep(wishes.forget(lambda each: each.id == download_id and each.wish == "cancelled"))
        self._bytes_there.forget(download_id)

    def _keep(self, change: wishes.Change) -> None:
        """Change the list even where the disk refuses: what has happened has happened."""
        try:
            self._file.change(change, at_all_costs=True)
        except CatalogError as error:
            _log.error("the list of downloads could not be changed: %s", error)
