"""The folder of saved states, which models, processes and versions of the program share.

Only files of our own naming are looked at, and links are not followed. Any file may go at any time,
by another process; what fails to be deleted stays for the next time.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from backends.llama_cpp.own_files import create_private
from backends.llama_cpp.state_format import is_state_name, is_unfinished_name

DISK_SHARE = 0.25
"""Of what the disk has free without the states, they take so much at most."""

_ABANDONED_SECONDS = 600
_ERASED = "erased"


class StateFile(NamedTuple):
    path: Path
    mtime_ns: int
    n_bytes: int


def state_files(folder: Path, wanted: Callable[[str], bool] = is_state_name) -> list[StateFile]:
    """Files by the name, the one least recently used first; none where there is no folder."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not wanted(entry.name) or not entry.is_file(follow_symlinks=False):
                continue
            with suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                found.append(StateFile(Path(entry.path), state.st_mtime_ns, state.st_size))
    return sorted(found, key=lambda file: file.mtime_ns)


def folder_bytes(folder: Path) -> int:
    """What the saved states take on the disk."""
    return sum(file.n_bytes for file in state_files(folder, _is_ours))


def clear(folder: Path) -> int:
    """Delete all saved states, and nothing else in the folder; return the bytes that were freed."""
    return sum(file.n_bytes for file in state_files(folder, _is_ours) if delete(file.path))


def erase(folder: Path) -> None:
    """Like `clear`, and what loaded models hold of chats now is not saved either."""
    if folder.is_dir():
        delete(folder / _ERASED)
        with suppress(OSError):
            create_private(folder / _ERASED).close()
        clear(folder)


def last_erased(folder: Path) -> int:
    """When that was last done, by a clock that is of no matter; 0 for never."""
    with suppress(OSError):
        return (folder / _ERASED).stat(follow_symlinks=False).st_mtime_ns
    return 0


def tidy(folder: Path, engine: str) -> None:
    """Delete what another version of the engine saved, and what a killed process left unfinished."""
    for file in state_files(folder):
        if not file.path.name.startswith(engine):
            delete(file.path)
    abandoned = time.time_ns() - _ABANDONED_SECONDS * 10**9
    for file in state_files(folder, is_unfinished_name):
        if file.mtime_ns < abandoned:
            delete(file.path)


def make_room(folder: Path, n_bytes: int, limit_bytes: int, first: Iterable[Path]) -> bool:
    """Delete states until so many bytes fit: those named `first`, then the least recently used.

    False where they can't. Raises OSError where the disk can't be asked.
    """
    files = state_files(folder, _is_ours)
    held = sum(file.n_bytes for file in files)
    limit = min(limit_bytes, int((shutil.disk_usage(folder).free + held) * DISK_SHARE))
    if n_bytes > limit:
        return False
    leaving = set(first)
    for file in sorted(files, key=lambda file: file.path not in leaving):
        if held + n_bytes <= limit:
            break
        if is_state_name(file.path.name) and delete(file.path):
            held -= file.n_bytes
    return held + n_bytes <= limit


def delete(path: Path) -> bool:
    with suppress(OSError):
        path.unlink()
        return True
    return False


def _is_ours(name: str) -> bool:
    return is_state_name(name) or is_unfinished_name(name)
