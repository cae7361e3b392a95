"""Small files that are there whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


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
        beside.replace(path)
    except OSError:
        if beside is not None:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        raise
