"""Files that only their owner reads, opened so that nothing planted in their place is followed."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_CAREFULLY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)


def open_regular(path: Path) -> BinaryIO:
    """Open for reading. Raises OSError, also for a link, a pipe, a device or a folder."""
    descriptor = os.open(path, os.O_RDONLY | _CAREFULLY)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path.name} is not a file")
        return open(descriptor, "rb")  # noqa: PTH123 (a descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def create_private(path: Path) -> BinaryIO:
    """Create a file that nobody else can read from its first moment on. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFULLY
    return open(os.open(path, flags, 0o600), "wb")  # noqa: PTH123 (a descriptor)
