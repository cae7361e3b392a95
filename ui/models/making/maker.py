"""Long work on model files, one after the other, off the main thread."""

from collections import deque
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.errors import problem_from
from app.making import Work
from catalog.errors import DownloadCancelled
from catalog.library import InstalledModel
from ui.background import Background


class WorkState(NamedTuple):
    """What is done just now, and how many wait."""

    title: str
    fraction: float
    waiting: int


class Maker(QObject):
    """Two at a time would only take the processor from each other.

    Signals:
        changed: the `WorkState`; None where nothing is done.
        made: the `InstalledModel` that came of it.
        failed: the title of the work, and the `Problem`.
    """

    changed = Signal(object)
    made = Signal(object)
    failed = Signal(str, object)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._waiting: deque[Work] = deque()
        self._current: Work | None = None
        self._fraction = 0.0

    def begin(self, work: Work) -> None:
        """Do it now, or after what goes on."""
        self._waiting.append(work)
        self._go_on()

    def cancel(self) -> None:
        """End what goes on; what waits comes next."""
        if self._current is not None:
            self._current.cancel()

    def stop(self) -> None:
        """The program ends: so does all of it."""
        self._waiting.clear()
        self.cancel()

    def _go_on(self) -> None:
        if self._current is None and self._waiting:
            work = self._current = self._waiting.popleft()
            self._fraction = 0.0
            self._background.run_reporting(
                self, work.run, self._advance, self._finish, partial(self._fail, work)
            )
        self._tell()

    def _advance(self, fraction: float) -> None:
        self._fraction = fraction
        self._tell()

    def _finish(self, made: InstalledModel) -> None:
        self._current = None
        self.made.emit(made)
        self._go_on()

    def _fail(self, work: Work, error: Exception) -> None:
        self._current = None
        problem = problem_from(error)
        if problem is not None and not isinstance(error, DownloadCancelled):
            self.failed.emit(work.title, problem)
        self._go_on()
        if problem is None:
            raise error

    def _tell(self) -> None:
        work = self._current
        state = WorkState(work.title, self._fraction, len(self._waiting)) if work else None
        self.changed.emit(state)
