"""Changing a small file that other processes change as well."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from catalog.errors import DownloadCancelled
from catalog.lock_file import locked

_LONGEST_SECONDS = 5.0
"""A process that hangs must not keep this one from its settings."""


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Keep other processes from reading and changing the file meanwhile. Waits for them, seconds at most.

    Where its folder takes no lock, there is none: writing the file says why.
    """
    given_up = threading.Event()
    ends = time.monotonic() + _LONGEST_SECONDS

    def look_at_the_clock() -> None:
        if time.monotonic() > ends:
            given_up.set()

    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_name(f"{path.name}.lock")
            held.enter_context(locked(lock, given_up, look_at_the_clock))
        except (OSError, DownloadCancelled):
            pass
        yield
