"""What loads really took, kept beside what was expected."""

import contextlib
import logging
import threading
from pathlib import Path

import msgspec

from app.memory import expected_memory
from backends.protocol import Allocation, LoadOptions, SessionInfo
from catalog.errors import CatalogError
from catalog.fit.fit import MemoryEstimate
from catalog.gguf.files import read_header
from catalog.library import InstalledModel
from catalog.whole_file import write_whole

_log = logging.getLogger(__name__)

_MOST = 500


class Allocated(msgspec.Struct, frozen=True, kw_only=True):
    """One load: of the file at `path` as it was then (`stamp`), with a context of `n_ctx` tokens."""

    path: str
    stamp: str
    n_ctx: int
    estimated: MemoryEstimate
    allocated: Allocation


class _Contents(msgspec.Struct, frozen=True):
    loads: tuple[Allocated, ...] = ()


class Allocations:
    """Keeps the newest load of each file and context length, 500 in all, in a JSON file.

    May be used from any thread. It is a record for the curious: where it can't be written, it is
    not.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def note(self, model: InstalledModel, options: LoadOptions, info: SessionInfo) -> None:
        """Keep what a load took, where the engine tells."""
        if info.allocated is None:
            return
        try:
            header = read_header(model.path)
            expected = expected_memory(header, model.size_bytes, info.n_ctx, options)
            load = Allocated(
                path=str(model.path),
                stamp=_stamp(model.path),
                n_ctx=info.n_ctx,
                estimated=expected,
                allocated=info.allocated,
            )
            with self._lock:
                others = [each for each in self._read() if _key(each) != _key(load)]
                contents = _Contents((load, *others)[:_MOST])
                write_whole(self._file, msgspec.json.encode(contents))
        except (OSError, CatalogError) as error:
            _log.warning("what %s took is not kept: %s", model.id, error)

    def of(self, path: Path) -> tuple[Allocated, ...]:
        """The loads of that file as it is now, by length of context."""
        with contextlib.suppress(OSError):
            stamp = _stamp(path)
            with self._lock:
                loads = self._read()
            found = [each for each in loads if (each.path, each.stamp) == (str(path), stamp)]
            return tuple(sorted(found, key=lambda each: each.n_ctx))
        return ()

    def _read(self) -> tuple[Allocated, ...]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Contents).loads
        except (OSError, ValueError, RecursionError):
            return ()


def _key(load: Allocated) -> tuple[str, int]:
    return load.path, load.n_ctx


def _stamp(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size}:{state.st_mtime_ns}"
