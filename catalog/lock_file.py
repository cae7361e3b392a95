"""A lock that holds between processes, for as long as a file is open."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.errors import DownloadCancelled

_POLL_SECONDS = 0.1

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def locked(
    path: Path, cancelled: threading.Event, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock file `path`, which is gone afterwards.

    Waits for another process or thread that holds it, calling `on_wait` about ten times a second.
    The system frees the lock of a process that dies. Raises `DownloadCancelled` while waiting.
    """
    while (descriptor := _acquire(path)) is None:
        on_wait()
        if cancelled.wait(_POLL_SECONDS):
            raise DownloadCancelled("The download was cancelled.")
    try:
        yield
    finally:
        # Unlinked before it is unlocked, lest the next holder's file be taken away. Windows
        # can't unlink an open file: there it goes after, unless the next holder has it.
        if sys.platform == "win32":
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
        else:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            os.close(descriptor)


def _acquire(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if _try_lock(descriptor) and _is_still(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the locked file is the one under that name, not one that its last holder unlinked."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
