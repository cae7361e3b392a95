"""Noticing that models come, change or go, by whatever program."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from catalog.library.found import walk
from catalog.library.installed import LibraryProblem

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch

_QUIET_SECONDS = 0.5
_LONGEST_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 5.0
_POLL_COST = 50  # polling takes at most this fraction of the time
_MAX_FOLDERS = 2_000  # the system's own limit is shared by everything that runs
_MANIFESTS = f"{os.sep}manifests{os.sep}"


class WatchedFolder(msgspec.Struct, frozen=True):
    """`deep`: what lies in the folders below it counts as well."""

    path: Path
    deep: bool = True


class _Seen(msgspec.Struct):
    """How a folder is watched: by the system where `watch` is set, else by its `signature`."""

    identity: tuple[int, int]
    watch: "ObservedWatch | None" = None
    signature: int = 0


def watch_folders(
    folders: Callable[[], Iterable[WatchedFolder]],
    on_change: Callable[[], None],
    *,
    quiet_seconds: float = _QUIET_SECONDS,
    look_again_seconds: float = _LOOK_AGAIN_SECONDS,
) -> Callable[[], None]:
    """Call `on_change` once the watch stands, and when model files or manifests have changed.

    It is called on a thread of the watch's own, after `quiet_seconds` without a further change, and
    at least every five seconds while changes go on. `folders` is asked anew every
    `look_again_seconds`: what has appeared is watched from then on. What the system can't watch, or
    only at a cost to others, is looked at from time to time. Returns what ends it.
    """
    return _Watch(folders, on_change, quiet_seconds, look_again_seconds).end


class _Watch:
    def __init__(
        self,
        folders: Callable[[], Iterable[WatchedFolder]],
        on_change: Callable[[], None],
        quiet_seconds: float,
        look_again_seconds: float,
    ) -> None:
        self._folders = folders
        self._on_change = on_change
        self._quiet = quiet_seconds
        self._look_again = look_again_seconds
        self._news = threading.Condition()
        self._ended = False
        self._first_change: float | None = None
        self._last_change = 0.0
        self._seen: dict[WatchedFolder, _Seen] = {}
        self._thread = threading.Thread(target=self._run, name="library-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        with self._news:
            self._ended = True
            self._news.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def dispatch(self, event: "FileSystemEvent") -> None:
        """Called by the observer, on its thread."""
        paths = (event.src_path, event.dest_path)
        if event.is_directory or any(_matters(os.fsdecode(path)) for path in paths):
            self._changed()

    def _changed(self) -> None:
        with self._news:
            self._last_change = time.monotonic()
            if self._first_change is None:
                self._first_change = self._last_change
                self._news.notify()

    def _run(self) -> None:
        from watchdog.observers import Observer  # slow to start, and only of use here

        observer = Observer()
        observer.start()
        try:
            self._changed()
            looked = wait = 0.0
            while not self._ended:
                if time.monotonic() - looked >= wait:
                    began = time.monotonic()
                    self._look(observer)
                    looked = time.monotonic()
                    wait = max(self._look_again, (looked - began) * _POLL_COST)
                self._tell_or_wait(looked + wait)
        finally:
            observer.stop()
            observer.join()

    def _tell_or_wait(self, until: float) -> None:
        with self._news:
            now = time.monotonic()
            if self._first_change is not None:
                due = min(self._last_change + self._quiet, self._first_change + _LONGEST_SECONDS)
                until = min(until, due)
            if self._ended or now < until:
                self._news.wait(0 if self._ended else until - now)
                return
            if self._first_change is None or now < due:
                return
            self._first_change = None
        self._on_change()

    def _look(self, observer: "BaseObserver") -> None:
        """Watch what has appeared, let go of what is gone, and look at what can't be watched."""
        wanted: dict[WatchedFolder, tuple[int, int]] = {}
        for folder in self._folders():
            with contextlib.suppress(OSError, ValueError):
                state = folder.path.stat()
                wanted[folder] = (state.st_dev, state.st_ino)
        for folder, seen in list(self._seen.items()):
            if wanted.get(folder) != seen.identity:
                del self._seen[folder]
                if seen.watch is not None:
                    with contextlib.suppress(KeyError, OSError):
                        observer.unschedule(seen.watch)
                self._changed()
        for folder, identity in wanted.items():
            known = self._seen.get(folder)
            if known is None:
                self._seen[folder] = self._begin(observer, folder, identity)
                self._changed()
            elif known.watch is None and (signature := _signature(folder)) != known.signature:
                known.signature = signature
                self._changed()

    def _begin(
        self, observer: "BaseObserver", folder: WatchedFolder, identity: tuple[int, int]
    ) -> _Seen:
        from watchdog import events

        if not folder.deep or _can_be_watched(folder.path):
            with contextlib.suppress(OSError, ValueError):
                watch = observer.schedule(
                    self,  # type: ignore[arg-type]
                    str(folder.path),
                    recursive=folder.deep,
                    # Without those that reading a file brings about: we read them all.
                    event_filter=[
                        events.FileCreatedEvent,
                        events.FileModifiedEvent,
                        events.FileMovedEvent,
                        events.FileDeletedEvent,
                        events.DirCreatedEvent,
                        events.DirMovedEvent,
                        events.DirDeletedEvent,
                    ],
                )
                return _Seen(identity, watch)
        return _Seen(identity, signature=_signature(folder))


def _matters(path: str) -> bool:
    return path.lower().endswith(".gguf") or _MANIFESTS in path


def _can_be_watched(folder: Path) -> bool:
    """Whether the tree is small, and no link in it leads to where the system would not look."""
    waiting, count = [str(folder)], 0
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if not entry.is_dir():
                    continue
                count += 1
                if count > _MAX_FOLDERS or entry.is_symlink():
                    return False
                waiting.append(entry.path)
    return True


def _signature(folder: WatchedFolder) -> int:
    """Changes when a model file or manifest does."""
    problems: list[LibraryProblem] = []
    files = []
    for file in walk(folder.path, problems, depth=8 if folder.deep else 0):
        if _matters(file.path):
            with contextlib.suppress(OSError):
                state = os.stat(file.path)  # noqa: PTH116 (hundreds at a look)
                files.append((file.path, state.st_size, state.st_mtime_ns))
    return hash(tuple(files))
