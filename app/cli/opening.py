"""The program's parts for one command, with its log, and what is to be said of its settings."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.output import say
from app.logs import start_logging, stop_logging
from app.paths import default_paths
from app.services import Services, open_services


@contextmanager
def opened() -> Iterator[Services]:
    """Raises `StorageError` where settings, database or library can't be opened."""
    paths = default_paths()
    with open_services(paths) as services:
        if services.settings.notice:
            say(services.settings.notice)
        log = start_logging(paths.logs_folder)
        try:
            yield services
            if services.lending.guests and sys.stderr.isatty():
                say("The model is still answering others. Ctrl+C ends that, too.")
        finally:
            stop_logging(log)
