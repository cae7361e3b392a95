"""The file in which the queue keeps what was asked for, shared by every process of the program."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from catalog.downloads.wanted import DownloadProblem, DownloadRequest
from catalog.errors import CatalogError
from catalog.kept_file import KeptFile, stamp_of
from catalog.lock_file import locked
from catalog.portable_paths import located, portable
from catalog.whole_file import overwrite

_log = logging.getLogger(__name__)

_VERSION = 1
_LARGEST_FILE = 100_000_000

Wish = Literal["waiting", "paused", "failed", "done", "cancelled"]


class QueuedDownload(msgspec.Struct, frozen=True, kw_only=True):
    """A download as it is kept.

    A running one is kept as "waiting": it goes on after whatever ends this process. A "cancelled"
    one is gone for a person, and waits for its files to be deleted. `fetched` are the targets
    that it brought here itself; `seconds` are Unix time.
    """

    request: DownloadRequest
    wish: Wish = "waiting"
    added_at: float
    total: int | None = None
    fetched: tuple[str, ...] = ()
    problem: DownloadProblem | None = None
    path: str = ""
    finished_at: float = 0.0

    @property
    def id(self) -> str:
        return self.request.id


class _Version(msgspec.Struct, frozen=True):
    version: int


class _Contents(msgspec.Struct, frozen=True):
    version: int
    downloads: tuple[QueuedDownload, ...] = ()


class QueueFile:
    """The downloads in their order. Thread-safe; each change is on the disk when the call returns.

    Raises `CatalogError` where the file can't be used, also where a newer Causeway wrote it. Of a
    damaged one nothing is known; `file` has what became of it. What was fetched stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = KeptFile(path, self._decoded, _LARGEST_FILE, copied=False)
        self._lock = threading.RLock()
        self._known: tuple[QueuedDownload, ...] = ()
        self._stamp: tuple[int, int, int] | None = None
        self._is_stored = True

    def read(self) -> tuple[QueuedDownload, ...]:
        """What is queued; costs one look at the file where no other process has changed it."""
        with self._lock, self._in_words():
            self._refresh()
            return self._known

    def change(
        self, change: Callable[[list[QueuedDownload]], None], *, at_all_costs: bool = False
    ) -> tuple[QueuedDownload, ...]:
        """Read, let `change` work on the list in place, store; other processes wait meanwhile.

        With `at_all_costs` a disk that refuses the change is no failure: it counts until the end of
        this process, or until it is stored with the next one.
        """
        with self._lock, self._in_words():
            with contextlib.ExitStack() as held:
                try:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    lock_path = self._path.with_name(f"{self._path.name}.lock")
                    held.enter_context(locked(lock_path, threading.Event()))
                    self._refresh()
                except OSError:
                    if not at_all_costs:
                        raise
                downloads = list(self._known)
                change(downloads)
                if tuple(downloads) == self._known and self._is_stored:
                    return self._known
                try:
                    self._store(downloads)
                    self._is_stored = True
                except OSError as error:
                    if not at_all_costs:
                        raise
                    self._is_stored = False
                    _log.warning("the list of downloads could not be stored: %s", error)
                self._known = tuple(downloads)
            return self._known

    def _refresh(self) -> None:
        stamp = stamp_of(self._path)
        if stamp == self._stamp:
            return
        self._known = self.file.read() or ()
        self._stamp = stamp
        self._is_stored = True

    def _decoded(self, content: bytes) -> tuple[QueuedDownload, ...]:
        if msgspec.json.decode(content, type=_Version).version > _VERSION:
            raise CatalogError(
                "The list of downloads was written by a newer Causeway.",
                f"This one can't read “{self._path}”, and leaves it as it is.",
                "Update Causeway.",
            )
        downloads = msgspec.json.decode(content, type=_Contents).downloads
        return tuple(_with_path(each, located(each.path, self._path.parent)) for each in downloads)

    def _store(self, downloads: Sequence[QueuedDownload]) -> None:
        self.file.make_way()
        home = self._path.parent
        stored = tuple(_with_path(each, portable(each.path, home)) for each in downloads)
        contents = _Contents(version=_VERSION, downloads=stored)
        data = msgspec.json.format(msgspec.json.encode(contents), indent=1)
        overwrite(self._path, data, self._path.with_name(f"{self._path.name}.tmp"))
        self._stamp = stamp_of(self._path)

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CatalogError(
                f"The list of downloads can't be read or written: “{self._path}”.",
                f"{error.strerror or error}.",
                "Free some space, or check who may write there.",
            ) from error


def _with_path(download: QueuedDownload, path: str) -> QueuedDownload:
    return download if path == download.path else msgspec.structs.replace(download, path=path)
