"""The files that a model lies in."""

import glob
import re
from pathlib import Path

_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")


def parts_of(path: Path) -> list[Path]:
    """All parts of a model, of which `path` is the only one or the first."""
    part = _PART.search(path.name)
    if not part:
        return [path]
    pattern = f"{glob.escape(path.name[: part.start()])}-?????-of-{part[1]}.gguf"
    return sorted(path.parent.glob(pattern))


def bytes_of(path: Path) -> int:
    """The size of all parts together. Raises OSError."""
    return sum(part.stat().st_size for part in parts_of(path))
