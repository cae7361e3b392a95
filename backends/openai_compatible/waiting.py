"""How long a service asks to wait, by whichever of the usual ways it says so."""

import email.utils
import re
import time
from collections.abc import Mapping

_NEVER = 1e7
_IN_WORDS = re.compile(
    r"(?:try|retry)\w* (?:again )?(?:in|after) ((?:\d+(?:\.\d+)?\s?(?:ms|[hms])\w*\s?)+)"
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s?(ms|[hms])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def asked_wait(headers: Mapping[str, str], message: str) -> float | None:
    """Seconds, by `Retry-After` (a number or a date) or by the words; None where it does not say."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after", "").strip()
    seconds = _number(asked)
    if seconds is not None:
        return seconds
    if asked:
        try:
            until = email.utils.parsedate_to_datetime(asked).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
        return min(max(0.0, until), _NEVER)
    said = _IN_WORDS.search(message[:2000].casefold())
    if said is None:
        return None
    parts = _PART.findall(said[1])
    return min(sum(float(amount) * _SECONDS[unit] for amount, unit in parts), _NEVER)


def in_words(seconds: float) -> str:
    """A wait as a person would say it: "20 seconds", "3 minutes", "2 hours"."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}s"
    whole = max(1, round(seconds))
    return "1 second" if whole == 1 else f"{whole} seconds"


def _number(text: str) -> float | None:
    text = text.strip()
    if not re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,6})?", text):
        return None
    return min(float(text), _NEVER)
