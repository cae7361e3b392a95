"""Small files that are there whole or not at all."""

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_RENAMES = 5
_RENAME_PAUSE_SECONDS = 0.05


def replace(source: Path, target: Path) -> None:
    """Rename over whatever is there. Windows refuses while somebody reads it, a scanner for one."""
    for _ in range(_RENAMES - 1):
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(_RENAME_PAUSE_SECONDS)
    source.replace(target)


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write beside the file, then put it in its place; only its owner can read it. Raises `OSError`.

    Whoever reads meanwhile sees the old content or the new. Only a `durable` one is sure to be there
    after a power cut; what can be found out again need not be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            prefix=f"{path.name}.", suffix=".new", dir=path.parent, delete=False
        ) as file:
            beside = Path(file.name)
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        replace(beside, path)
    except OSError:
        if beside is not None:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        raise


def overwrite(path: Path, data: bytes, beside: Path) -> None:
    """As a durable `write_whole`, for the only writer of the file. Raises `OSError`.

    `beside` is where it is written first, and all that a killed writer can leave behind.
    """
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
