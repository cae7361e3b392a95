"""What is to be said of a download: a run tells of one that runs, the disk of one that doesn't."""

import threading
import time
from pathlib import Path

from catalog.downloads.fetch import fetched_bytes
from catalog.downloads.queue_file import QueuedDownload
from catalog.downloads.wanted import DownloadState, Phase, WantedFile
from catalog.errors import CatalogError

_FRESH_SECONDS = 1.0


def whole_size(file: WantedFile, folder: Path) -> int | None:
    """Bytes of a file that lies there under its final name, None where it doesn't."""
    try:
        return (folder / file.target).stat().st_size
    except OSError:
        return None


def bytes_there(file: WantedFile, folder: Path) -> int:
    """Bytes of a file that need not be fetched any more."""
    whole = whole_size(file, folder)
    if whole is not None:
        return whole
    try:
        return fetched_bytes(file, folder)
    except CatalogError:  # it can't be kept there, which is said when it is fetched
        return 0


def size_of(file: WantedFile, folder: Path) -> int | None:
    """Bytes that its download takes in all, None where nobody knows yet."""
    whole = whole_size(file, folder)
    return whole if whole is not None else file.download_bytes or file.size_bytes


class BytesThere:
    """Bytes of downloads that lie on the disk: counted once, since reading many takes a while.

    Those that another process fetches are counted once a second. Thread-safe.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._counted: dict[str, tuple[QueuedDownload, bool, float, int]] = {}

    def of(self, download: QueuedDownload, *, elsewhere: bool) -> int:
        now = time.monotonic()
        with self._lock:
            known, was_elsewhere, at, count = self._counted.get(
                download.id, (None, elsewhere, now, 0)
            )
        if (
            known != download
            or was_elsewhere != elsewhere
            or (elsewhere and now - at > _FRESH_SECONDS)
        ):
            count = sum(bytes_there(file, self._folder) for file in download.request.files)
            with self._lock:
                self._counted[download.id] = (download, elsewhere, now, count)
        return count

    def forget(self, download_id: str) -> None:
        """Count anew: something has been fetched or deleted."""
        with self._lock:
            self._counted.pop(download_id, None)


def state_at_rest(download: QueuedDownload, done: int, *, elsewhere: bool = False) -> DownloadState:
    """The state of a download that this process does not fetch; of its bytes `done` are there."""
    assert download.wish != "cancelled"
    phase: Phase = "running" if elsewhere else download.wish
    total = download.total if download.total is not None else _total(download)
    if phase == "done":
        done = total or done
    return DownloadState(
        request=download.request,
        phase=phase,
        added_at=download.added_at,
        stage="downloading" if elsewhere else "finding",
        done=done if total is None else min(done, total),
        total=total,
        problem=download.problem,
        path=download.path,
        finished_at=download.finished_at,
        elsewhere=elsewhere,
    )


def _total(download: QueuedDownload) -> int | None:
    total = 0
    for file in download.request.files:
        size = file.download_bytes or file.size_bytes
        if size is None:
            return None
        total += size
    return total
