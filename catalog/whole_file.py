"""Small files that are there whole or not at all."""

import os
import threading
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file, then put it in its place. Raises `OSError`.

    Whoever reads meanwhile sees the old content or the new. It is not flushed to the disk: after a power
    cut the file may be gone, so this is for what can be found out again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
