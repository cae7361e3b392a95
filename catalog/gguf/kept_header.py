"""Headers of files on this computer, read once until the file changes."""

import functools
from pathlib import Path

from catalog.gguf.files import GgufHeader, read_header

_IN_MEMORY = 256


def kept_header(path: Path) -> GgufHeader:
    """Raises `BadModelFile`. From any thread."""
    try:
        state = path.stat()
    except OSError:
        return read_header(path)  # which says why in words
    return _kept_header(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=_IN_MEMORY)
def _kept_header(path: Path, size: int, modified: int) -> GgufHeader:
    """The header of a file in one state of it."""
    return read_header(path)
