"""A bug of ours, put on disk for whoever is to mend it."""

import platform
import traceback
from datetime import UTC, datetime
from pathlib import Path

from app.versions import installed_version


def write_crash_report(error: BaseException, folder: Path) -> str:
    """Write where it happened to a file in `folder`; returns the words for the person.

    The error's own text is left out: it may quote a message.
    """
    places = "".join(traceback.format_tb(error.__traceback__))
    report = (
        f"Causeway {installed_version('causeway')}, Python {platform.python_version()}, "
        f"{platform.platform()}\n{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n\n"
        f"{places}{type(error).__name__}\n"
    )
    path = folder / f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(report, encoding="utf-8")
    except OSError:
        return f"Something went wrong in Causeway itself. This is where:\n{report}"
    return f"Something went wrong in Causeway itself. A report for its makers is in {path}."
