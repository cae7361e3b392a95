"""The program's log: what it did, for a bug report. Never what was said, and never a key.

Code logs ids, counts and times, not the text of messages. What the filter takes out is the rest:
credentials that arrive inside an address, a header or an error of some library.
"""

import logging
import re
import sys
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FILE_BYTES = 1_000_000
_OLDER_FILES = 4

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(process)d %(threadName)s %(name)s: %(message)s"

_CREDENTIALS = re.compile(
    r"""
      (?<=://)[^/\s@]+(?=@)                                      # https://user:password@host
    | (?<=Bearer\ )[\w.~+/=-]+ | (?<=Basic\ )[\w+/=-]{6,}
    | \b(?:hf_|gsk_|gh[oprsu]_|github_pat_|glpat-|pypi-Ag|sk-|xox[abp]-|AKIA)[\w-]{15,}
    | \beyJ[\w-]+\.[\w-]+\.[\w-]+                                # a JSON web token
    | (?<=[?&;])(?:[\w-]*(?:token|key|secret|signature|password|sig|auth)[\w-]*)=[^&\s"']+
    | \b[\w-]*(?:token|api[_-]?key|secret|password|authorization)\b["']?\s*[:=]\s*["']?[^\s,;"'}]{4,}
    """,
    re.VERBOSE | re.IGNORECASE,
)


def without_credentials(text: str) -> str:
    """The text with whatever looks like a key, a token or a password taken out."""
    return _CREDENTIALS.sub("[removed]", text)


class _Formatter(logging.Formatter):
    """One record, its traceback included, in UTC and without credentials."""

    def __init__(self) -> None:
        super().__init__(_FORMAT, "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        return without_credentials(super().format(record))


def _rotate(source: str, destination: str) -> None:
    """Where another program has the log open, Windows refuses; then the file grows on."""
    with suppress(OSError):
        Path(source).replace(destination)


def start_logging(folder: Path) -> logging.Handler:
    """Log to `causeway.log` in that folder, at most 5 MB in five files, or to stderr if that fails.

    `stop_logging` ends it.
    """
    handler: logging.Handler
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "causeway.log",
            maxBytes=_FILE_BYTES,
            backupCount=_OLDER_FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )
        handler.rotator = _rotate
        why_not = ""
    except OSError as error:
        handler = logging.StreamHandler(sys.stderr)
        why_not = error.strerror or str(error)
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    if why_not:
        logging.getLogger(__name__).warning(
            "No log is kept, since %s can't be written to: %s.", folder, why_not
        )
    return handler


def stop_logging(handler: logging.Handler) -> None:
    logging.getLogger().removeHandler(handler)
    handler.close()
