"""Reading JSON that a stranger sent: whatever is not as expected counts as absent."""

from typing import Any

import msgspec

_MOST = 2**53


def decoded(data: bytes) -> Any:
    """The value of a JSON text. Raises ValueError for what is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("not JSON") from None


def at(value: Any, path: str) -> Any:
    """What lies at the path, such as "meta.n_ctx"; None where nothing does."""
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_at(value: Any, path: str) -> str:
    found = at(value, path)
    return found if isinstance(found, str) else ""


def count_at(value: Any, path: str) -> int:
    """A number of things; 0 where there is none."""
    found = at(value, path)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        return 0
    return found if 0 <= found < _MOST else 0


def list_at(value: Any, path: str) -> list[Any]:
    found = at(value, path)
    return found if isinstance(found, list) else []


def number(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -1e300 < value < 1e300 else None
