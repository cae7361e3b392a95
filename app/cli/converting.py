"""A PEFT adapter converted from the command line: a folder, or a repository of the Hub."""

import threading
from pathlib import Path

from app.cli.interrupts import stopping
from app.cli.work_screen import shown_progress
from app.errors import AppError
from app.services import Services
from catalog.library import InstalledModel
from catalog.safe_names import is_repository

_HUB = "hub:"


def convert(services: Services, source: Path, base: str, name: str) -> InstalledModel:
    """Raises the errors of all layers in words."""
    model = services.library.find(base)
    cancelled = threading.Event()
    with shown_progress("Converting") as on_progress, stopping(cancelled.set):
        if source.is_dir():
            return services.making.convert(
                source, model, name=name, on_progress=on_progress, cancelled=cancelled
            )
        repo = source.as_posix().removeprefix(_HUB)
        if source.exists() or not is_repository(repo):
            raise AppError(
                f"“{source}” is no PEFT adapter.",
                fix="Give its folder, or its OWNER/NAME on the Hub.",
            )
        return services.making.fetch_and_convert(
            repo, model, name=name, on_progress=on_progress, cancelled=cancelled
        )
