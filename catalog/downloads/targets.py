"""Where a download goes on this computer, and whether it can."""

import errno
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from catalog.errors import DownloadCancelled, DownloadError
from catalog.safe_names import is_safe_path
from catalog.whole_file import replace

SPARE_BYTES = 32 << 20
_CHUNK = 1 << 20


class LocalProblem(DownloadError):
    """What another source would not help against."""


def checked_target(target: str, folder: Path) -> Path:
    """The path of `target` below `folder`. Raises `LocalProblem` where it leads anywhere else."""
    path = folder / target
    if not is_safe_path(target):
        raise LocalProblem(
            "The file has a name that can't be kept.",
            f"“{target.encode('ascii', 'backslashreplace').decode()[:120]}” is not safe here.",
            "Choose another file.",
        )
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise LocalProblem(
            f"“{path.name}” can't be kept.",
            f"A link leads from “{folder}” to another place.",
            "Remove the link, or choose another models folder.",
        )
    return path


def part_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def package_part_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.whl.part")


def sha256_of(path: Path, cancelled: threading.Event, on_bytes: Callable[[int], None]) -> str:
    """Of a file's content. Raises `DownloadCancelled`."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            if cancelled.is_set():
                raise DownloadCancelled("The download was cancelled.")
            digest.update(chunk)
            done += len(chunk)
            on_bytes(done)
    return digest.hexdigest()


def occupied(path: Path, why: str) -> LocalProblem:
    return LocalProblem(
        f"“{path.name}” is already there, but it is another file.",
        why,
        "Rename it or remove it, then try again.",
    )


def check_room(path: Path, needed: int) -> None:
    """Raises `LocalProblem` where the disk of `path` has no room for so many bytes more."""
    free = shutil.disk_usage(path.parent).free
    if free < needed + SPARE_BYTES:
        raise LocalProblem(
            f"There is not enough room for “{path.name}”.",
            f"It takes {needed // 10**6:,} MB, {SPARE_BYTES // 10**6:,} MB more have to stay free, and"
            f" {free // 10**6:,} MB are free now.",
            "Free some space, or choose another models folder. What was fetched is kept.",
        )


def put_in_place(part: Path, target: Path) -> None:
    """Give a file that is whole and on the disk its name, so that a power cut leaves all or nothing."""
    replace(part, target)
    if sys.platform != "win32":
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def in_words(error: OSError, folder: Path) -> LocalProblem:
    """What the disk did not let happen."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LocalProblem(
            "The disk is full.",
            f"The download can't be written to “{folder}”.",
            "Free some space and try again: what was fetched is kept.",
        )
    if error.errno == errno.EFBIG:
        return LocalProblem(
            "The file is too large for this disk.",
            "A disk formatted as FAT32 holds no file above 4 GB.",
            "Choose a models folder on another disk.",
        )
    return LocalProblem(
        f"The download can't be written to “{folder}”.",
        f"{error.strerror or error}.",
        "Check who may write there, or choose another models folder.",
    )
