"""What the welcome page asks of the program's parts: it fetches the starter model and opens it."""

from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.errors import Problem
from app.installs import request_for
from catalog.catalogues.entries import Entry
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel
from ui.arrivals import Arrivals
from ui.downloads import Downloads
from ui.theme import Theme
from ui.welcome.welcome import WelcomePage


class WelcomeWork(QObject):
    """Fetches the starter model and finds it once it is here, whoever asked for it and when.

    Attributes:
        page: the page that shows how far the model is.

    Signals:
        model_found: the starter model, an `InstalledModel`, is here.
    """

    model_found = Signal(object)

    def __init__(
        self,
        theme: Theme,
        starter: Entry,
        downloads: Downloads,
        arrivals: Arrivals,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.page = WelcomePage(theme, starter)
        self._request = request_for(starter, starter.weights[0])
        self._downloads = downloads
        self._arrivals = arrivals
        self._came = False
        self._step: Literal["", "opening", "gone"] = ""
        self.page.start_requested.connect(self._fetch)
        self.page.cancel_requested.connect(self._pause)

    @property
    def is_fetching(self) -> bool:
        """Whether the starter model is on its way here."""
        state = self._state
        return state is not None and state.phase in ("waiting", "running")

    def fetches(self, state: DownloadState) -> bool:
        """Whether this download is the starter model's."""
        return state.request.id == self._request.id

    def show_progress(self) -> None:
        """Show how far the starter model is. Once it is here, find it."""
        state = self._state
        if state is None or state.phase != "done":
            self._came = state is not None
            self._step = ""
        elif self._step == "gone":
            state = None  # so that it can be fetched again
        elif self._step == "":
            self._step = "opening"
            self._arrivals.find(state, self._find, self._refuse)
        self.page.show_download(state)

    def refuse_file(self, problem: Problem) -> None:
        """Show why a file that was chosen or dropped can't be used."""
        self.page.show_refused(problem, self._state)

    @property
    def _state(self) -> DownloadState | None:
        return self._downloads.state_of(self._request.id)

    def _fetch(self) -> None:
        self._step = ""
        self._downloads.add(self._request)
        self.show_progress()

    def _pause(self) -> None:
        """What was fetched stays, and the next try goes on from there."""
        self._downloads.pause(self._request.id)

    def _find(self, model: InstalledModel) -> None:
        self._step = ""
        self.model_found.emit(model)

    def _refuse(self, problem: Problem) -> None:
        self._step = "gone"
        self.page.show_download(None)
        if self._came:  # else it was removed in an earlier run of the program
            self.page.show_problem(problem)
