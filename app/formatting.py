"""Numbers and dates in the words of window and command line. Sizes are decimal: 1 kB is 1000 bytes."""

from datetime import date, datetime
from typing import Literal

_LONGEST_QUOTE = 80

DateGroup = Literal["Today", "Yesterday", "Previous 7 days", "Previous 30 days", "Older"]


def shortened(text: str) -> str:
    """The beginning of a text that may be very long, to be quoted in a sentence."""
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def whole_characters(text: str) -> str:
    """The text without halves of characters (lone surrogates): no file and no process takes those.

    Arguments of the command line that are no UTF-8 have them, and what other programs copied can.
    """
    return text.encode("utf-8", "replace").decode()


def bytes_text(size: int, *, digits: int = 1) -> str:
    """“98 MB”, “2.5 GB”, “0 bytes”. `digits` is how many decimals gigabytes below 10 get."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        decimals = 0 if unit in ("kB", "MB") or round(value, digits) >= 10 else digits
        if round(value, decimals) < 1000 or unit == "TB":  # 999.6 MB is “1.0 GB”, not “1000 MB”
            break
    return f"{value:,.{decimals}f} {unit}"


def speed_text(bytes_per_second: float) -> str:
    """The speed of a transfer: “18.4 MB/s”."""
    megabytes = bytes_per_second / 1e6
    if megabytes < 1:
        return f"{bytes_text(int(bytes_per_second))}/s"
    return f"{megabytes:,.1f} MB/s"


def count_text(count: int, one: str, many: str) -> str:
    """“1 model”, “1,200 models”."""
    return f"{count:,} {one if count == 1 else many}"


def tokens_text(count: int) -> str:
    """“1 token”, “4,096 tokens”."""
    return count_text(count, "token", "tokens")


def token_speed_text(tokens_per_second: float) -> str:
    """The speed of an answer: “31.4 tok/s”."""
    return f"{tokens_per_second:,.{0 if tokens_per_second >= 100 else 1}f} tok/s"


def duration_text(seconds: float) -> str:
    """“0.4 s”, “6 s”, “1 min 37 s”, “2 h 5 min”: two units at most."""
    if seconds < 0.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def time_left_text(seconds: float | None) -> str:
    """“1 min 37 s left”; empty while nobody knows."""
    return "" if seconds is None else f"{duration_text(max(seconds, 1))} left"


def list_date(moment: float, now: float) -> str:
    """When something happened (Unix seconds), as briefly as `now` allows: “10:24”, “Mon”, “12 May”."""
    then, today = datetime.fromtimestamp(moment), datetime.fromtimestamp(now)
    days = (today.date() - then.date()).days
    if days <= 0:
        return f"{then:%H:%M}"
    if days < 7:
        return f"{then:%a}"
    if then.year == today.year:
        return f"{then.day} {then:%b}"
    return f"{then.day} {then:%b} {then.year}"


def date_group(moment: float, now: float) -> DateGroup:
    """The heading under which a list sorted by date shows it."""
    days = (_local_date(now) - _local_date(moment)).days
    if days <= 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    if days <= 7:
        return "Previous 7 days"
    return "Previous 30 days" if days <= 30 else "Older"


def _local_date(moment: float) -> date:
    return datetime.fromtimestamp(moment).date()
