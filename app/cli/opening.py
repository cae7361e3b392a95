"""The program's parts for one command, with its log, and what is to be said of its settings."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.cli.output import say
from app.kept_files import Damaged
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
        said = services.kept_files.damaged()
        _offer(said)
        log = start_logging(paths.logs_folder)
        try:
            yield services
            later = [each for each in services.kept_files.damaged() if each not in said]
            for each in later:
                say(each.words)
            _offer(later)
            if services.lending.guests and sys.stderr.isatty():
                say("The model is still answering others. Ctrl+C ends that, too.")
        finally:
            stop_logging(log)


def _offer(found: Iterable[Damaged]) -> None:
    for each in found:
        offer = each.offer(time.time())
        if offer and each.is_new:
            say(f"{offer} “causeway restore {each.kept}” does that.")
