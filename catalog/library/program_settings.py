"""Single values out of other programs' settings: files that may hold anything at all."""

import re
from pathlib import Path

import msgspec

_MAX_BYTES = 1 << 20
_MAX_TEXT = 4096
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,4})|(.))", re.DOTALL)


def json_text(path: Path, key: str) -> str:
    """The text under a key at the top of a JSON file; empty where there is none."""
    try:
        values = msgspec.json.decode(_read(path), type=dict[str, msgspec.Raw])
        value = msgspec.json.decode(values[key], type=str)
    except (ValueError, KeyError, RecursionError):
        return ""
    return _sane(value)


def first_line(path: Path) -> str:
    """The first line of a text file; empty where there is none."""
    return _sane(_read(path).decode("utf-8", "replace").partition("\n")[0].strip())


def qt_ini_text(path: Path, section: str, key: str) -> str:
    """A text out of a file that Qt's QSettings wrote; empty where there is none.

    Qt quotes what holds separators, and escapes what is not ASCII as `\\xHEX`.
    """
    inside = False
    for line in _read(path).decode("utf-8", "replace").splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            inside = stripped[1:-1].strip() in (section, f"%{section}")
        elif inside and stripped.partition("=")[0].strip() == key:
            return _sane(_unescaped(stripped.partition("=")[2].strip()))
    return ""


def _unescaped(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _ESCAPE.sub(
        lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2]),
        text,
    )


def _sane(text: str) -> str:
    """Nothing that no path can be."""
    if len(text) > _MAX_TEXT or "\0" in text:
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return ""
    return text


def _read(path: Path) -> bytes:
    """At most a megabyte; nothing where it is no file that can be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except (OSError, ValueError):
        return b""
