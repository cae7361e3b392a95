"""How long a model stays in memory, as clients of the Ollama API say it."""

import math
import re

from app.server.failures import Failure
from app.server.ollama_api.requests import KeepAlive

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)"
_DURATION = re.compile(rf"([+-]?)((?:{_PART})+)")
_LONGEST_SECONDS = 365 * 24 * 3600.0
"""What is longer is for ever."""


def seconds_of(wanted: KeepAlive | None) -> float | None:
    """Seconds, below 0: for ever; None: as the settings say. Raises `Failure`."""
    if wanted is None:
        return None
    seconds = _of_text(wanted) if isinstance(wanted, str) else wanted
    if seconds < 0 or seconds > _LONGEST_SECONDS:
        return -1.0
    return float(seconds)


def _of_text(text: str) -> float:
    given = text.strip()
    try:
        number = float(given)
    except ValueError:
        return _of_duration(given)
    if math.isnan(number):
        raise _no_duration(text)
    return number


def _of_duration(given: str) -> float:
    found = _DURATION.fullmatch(given)
    if found is None:
        raise _no_duration(given)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, found[2]))
    return -seconds if found[1] == "-" else seconds


def _no_duration(given: str) -> Failure:
    return Failure(
        "invalid",
        f"keep_alive: “{given[:50]}” is no time. It is a number of seconds, or a text such as “10m” or “1h30m”.",
        param="keep_alive",
    )
