"""Names of files and folders that come from outside, checked before anything is written."""

import re
import unicodedata

MAX_NAME_BYTES = 200
_MAX_PATH_BYTES = 500
_MAX_DEPTH = 16

# What Windows forbids, what no one can see, and what turns the direction of writing.
_FORBIDDEN = re.compile(
    '[<>:"/\\\\|?*\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]'
)
_REPOSITORY_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def is_safe_name(name: str) -> bool:
    """Whether a file or folder can be called so on every platform, and stays where it is put.

    False for `..`, for anything with a separator or a drive, for the names of devices, and for what
    Windows would change silently (a point or a space at the end).
    """
    if not name or name[0] in ". " or name[-1] in ". " or _FORBIDDEN.search(name):
        return False
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    stem = name.partition(".")[0].rstrip().upper()
    return (
        length <= MAX_NAME_BYTES and stem not in _DEVICES and unicodedata.is_normalized("NFC", name)
    )


def is_safe_path(path: str) -> bool:
    """Whether a relative path with `/` leads nowhere but down, each of its names safe."""
    names = path.split("/")
    return (
        len(names) <= _MAX_DEPTH
        and all(map(is_safe_name, names))
        and len(path.encode()) <= _MAX_PATH_BYTES
    )


def is_model_file_name(name: str) -> bool:
    """Whether a file so called can be kept as a model file."""
    return is_safe_name(name) and name.lower().endswith(".gguf")


def is_repository(repo: str) -> bool:
    """Whether it is `OWNER/NAME` as the Hub writes it, and can be a folder in a folder."""
    owner, slash, name = repo.partition("/")
    return bool(slash) and all(
        _REPOSITORY_PART.fullmatch(part) and is_safe_name(part) for part in (owner, name)
    )
