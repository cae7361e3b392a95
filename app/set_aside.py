"""Names for files that are put out of the way and never overwritten."""

from datetime import datetime
from itertools import count
from pathlib import Path


def set_aside_name(path: Path, reason: str) -> Path:
    """A free name beside the file: `settings.json` becomes `settings.damaged-2026-05-12.json`."""
    stem = f"{path.stem}.{reason}-{datetime.now():%Y-%m-%d}"
    names = (f"{stem}{f'-{n}' if n > 1 else ''}{path.suffix}" for n in count(1))
    return next(place for name in names if not (place := path.with_name(name)).exists())
