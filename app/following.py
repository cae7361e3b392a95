"""Noticing that other processes change the program's files: the command line, beside the window."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.kept_file import stamp_of

_LOOK_SECONDS = 1.0


def follow_files(
    paths: Sequence[Path],
    on_change: Callable[[frozenset[Path]], object],
    *,
    look_seconds: float = _LOOK_SECONDS,
) -> Callable[[], None]:
    """Call `on_change`, on a thread of its own, soon after files were written, came or went, with their paths.

    It is called for this process's own changes as well. Of a folder, the files in it that come, go or
    are replaced count. Returns what ends it, and waits for that. Looking at a handful of files once a
    second costs less than asking each system to tell.
    """
    ended = threading.Event()

    def look() -> None:
        before = _stamps(paths)
        while not ended.wait(look_seconds):
            now = _stamps(paths)
            changed = {path for path in paths if now[path] != before[path]}
            before = now
            if changed:
                on_change(frozenset(changed))

    thread = threading.Thread(target=look, name="files-of-others", daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        if threading.current_thread() is not thread:
            thread.join()

    return end


def _stamps(paths: Sequence[Path]) -> dict[Path, tuple[int, int, int] | None]:
    stamps = {}
    for path in paths:
        try:
            stamps[path] = stamp_of(path)
        except OSError:
            stamps[path] = None
    return stamps
