"""Fetching a model of the catalogue in the background, for whichever page asks."""

from PySide6.QtCore import QObject, Signal

from app.errors import Problem, problem_from
from app.installs import Installation
from app.services import Services
from catalog.entries import Entry
from catalog.errors import DownloadCancelled
from catalog.library import InstalledModel
from ui.background import Background, Report


class ModelDownload(QObject):
    """One download at a time.

    Signals:
        progressed: a `DownloadProgress`.
        installed: the `InstalledModel`.
        cancelled: what was fetched stays, and the next try goes on from there.
        failed: the `Problem`.
    """

    progressed = Signal(object)
    installed = Signal(object)
    cancelled = Signal()
    failed = Signal(object)

    def __init__(
        self, background: Background, services: Services, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._services = services
        self._running: Installation | None = None

    @property
    def running(self) -> bool:
        return self._running is not None

    def start(self, entry: Entry) -> None:
        """Fetch an entry's weights, going on where an earlier try stopped."""
        if self.running:
            return
        services = self._services
        installation = Installation(entry, services.paths, services.settings.current)
        self._running = installation

        def fetch(report: Report) -> InstalledModel:
            return services.library.find(str(installation.run(report)))

        self._background.run_reporting(
            self, fetch, self.progressed.emit, self._finish, self._give_up
        )

    def cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _finish(self, model: InstalledModel) -> None:
        self._running = None
        self.installed.emit(model)

    def _give_up(self, error: Exception) -> None:
        self._running = None
        problem: Problem | None = problem_from(error)
        if isinstance(error, DownloadCancelled):
            self.cancelled.emit()
        elif problem is not None:
            self.failed.emit(problem)
        else:
            raise error
