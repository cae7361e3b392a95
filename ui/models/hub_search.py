"""A search on the Hub while a person types: one question at a time, the newest answer counts."""

from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import Problem, problem_from
from catalog.hub.records import FoundRepository, HubPage, HubQuery
from ui.background import Background, Cancelled, Task
from ui.models.discover_services import HubSource

PAUSE_MS = 300
"""How long typing must pause before the Hub is asked."""

Status = Literal["idle", "searching", "more", "done", "failed"]


class HubSearch(QObject):
    """What the Hub has found for the newest question.

    Attributes:
        status: "more" means that there are further pages.
        found: the results of all pages so far.
        problem: why the last question failed.

    Signals:
        changed: one of them.
    """

    changed = Signal()

    def __init__(
        self, background: Background, hub: HubSource, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._hub = hub
        self._query: HubQuery | None = None
        self._asking: Task | None = None
        self._asked_more = self._left = False
        self._more = ""
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.status: Status = "idle"
        self.found: tuple[FoundRepository, ...] = ()
        self.problem: Problem | None = None

    def search(self, query: HubQuery, *, at_once: bool = False) -> None:
        """Ask this when typing has paused; the results of another question go now."""
        if query == self._query and self.status != "failed":
            return
        self._forget()
        self._query = query
        self.status = "searching"
        self._pause.start(0 if at_once else PAUSE_MS)
        self.changed.emit()

    def stop(self) -> None:
        """Nothing is searched for any more."""
        if self._query is not None or self.status != "idle":
            self._forget()
            self._query = None
            self.status = "idle"
            self.changed.emit()

    def retry(self) -> None:
        """Ask again what failed; the pages before it stay."""
        if self.status == "failed":
            self.status = "searching"
            self.problem = None
            self._ask()
            self.changed.emit()

    def load_more(self) -> None:
        """Fetch the next page, where there is one and it isn't on its way."""
        if self.status == "more" and not self._asked_more:
            self._asked_more = True
            self._ask()

    def leave(self) -> None:
        """Nobody looks any more: a question that is under way ends."""
        if self.status == "searching" or self._asked_more:
            self._cancel()
            self._left = True

    def come_back(self) -> None:
        """Ask what was under way when everybody left."""
        if self._left:
            self._left = False
            self._ask()

    def _cancel(self) -> None:
        self._pause.stop()
        if self._asking is not None:
            self._asking.cancel()

    def _forget(self) -> None:
        self._cancel()
        self._left = False
        self.found, self.problem = (), None
        self._more, self._asked_more = "", False

    def _ask(self) -> None:
        if self._query is not None:
            op = partial(_found, self._hub, self._query, self._more)
            self._asking = self._background.look_up(self, op, self._take, self._fail)

    def _take(self, page: HubPage) -> None:
        known = {each.repo for each in self.found}
        self.found += tuple(each for each in page.found if each.repo not in known)
        # A page that leads to itself would be asked for ever.
        self.status = "more" if page.more and page.more != self._more else "done"
        self._more, self._asked_more = page.more, False
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._asked_more = False
        self.status, self.problem = "failed", problem
        self.changed.emit()


def _found(hub: HubSource, query: HubQuery, more: str, cancelled: Cancelled) -> HubPage:
    return hub.search(query, more, cancelled=cancelled)
