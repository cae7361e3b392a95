"""A download's progress on a terminal; nothing where standard error is none."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from app.cli.output import terminal_safe
from catalog.downloads.wanted import DownloadState

_STAGES = {
    "finding": "looking for it",
    "downloading": "downloading",
    "verifying": "checking",
    "unpacking": "unpacking",
}


class TransferScreen:
    """Shows a bar, bytes, speed and time left. Use it as a context manager."""

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._title = terminal_safe(title)
        self._task = self._progress.add_task(self._title, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, state: DownloadState) -> None:
        """May be called from any thread."""
        doing = "another process is fetching it" if state.elsewhere else _STAGES[state.stage]
        doing = state.note.rstrip(".") or doing
        done, total = state.file_amounts
        self._progress.update(
            self._task,
            description=f"{self._title}: {doing}",
            completed=done,
            total=total,
        )
