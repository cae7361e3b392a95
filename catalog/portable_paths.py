"""Paths in the program's files: what lies below a folder is noted from there on, so that it can be moved."""

import os
from pathlib import Path

_HERE = "./"


def portable(path: str, home: Path) -> str:
    """The path as it is stored: `./models/a.gguf` for what lies below `home`, else unchanged."""
    start = os.path.join(_absolute(home), "")  # noqa: PTH118 (hundreds a scan)
    if not path.startswith(start):
        return path
    return _HERE + path[len(start) :].replace(os.sep, "/")


def located(stored: str, home: Path) -> str:
    """The path that was stored, with `home` where it is now."""
    if not stored.startswith(_HERE):
        return stored
    return os.path.normpath(os.path.join(_absolute(home), stored))  # noqa: PTH118


def _absolute(home: Path) -> str:
    return os.path.abspath(home)  # noqa: PTH100 (links are kept)
