"""Saving what can be read of a damaged database, from the page that says so."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.conversations.recovery import Cancelled, Recovery, use_recovered
from app.errors import problem_from
from ui.background import Background
from ui.trouble_page import TroublePage


class Rescue(QObject):
    """Does what the page asks for, off the main thread.

    Signals:
        saved_copy_used: the database is the saved copy now.
    """

    saved_copy_used = Signal()

    def __init__(self, background: Background, path: Path, page: TroublePage) -> None:
        super().__init__(page)
        self._background = background
        self._path = path
        self._page = page
        self._recovery = Recovery(path)
        page.recovery_requested.connect(self._recover)
        page.cancel_requested.connect(self.stop)
        page.copy_requested.connect(self._use)

    def stop(self) -> None:
        """End what goes on; nothing is left of it."""
        self._recovery.cancel()

    def _recover(self) -> None:
        self._recovery = Recovery(self._path)
        self._page.show_progress(0)
        self._background.run_reporting(
            self,
            self._recovery.run,
            self._page.show_progress,
            self._page.show_recovered,
            self._fail,
        )

    def _use(self) -> None:
        self._background.run_in_order(
            self,
            partial(use_recovered, self._path),
            lambda _: self.saved_copy_used.emit(),
            self._fail,
        )

    def _fail(self, error: Exception) -> None:
        if isinstance(error, Cancelled):
            self._page.show_problem(self._page.problem)
            return
        problem = problem_from(error)
        if problem is None:
            raise error
        self._page.show_problem(problem)
