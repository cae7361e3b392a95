"""The download queue as the window sees it: told on the main thread, asked off it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal

from app.errors import Problem, problem_from
from catalog.downloads.wanted import DownloadRequest, DownloadState
from ui.background import Background

if TYPE_CHECKING:
    from catalog.downloads.queue import DownloadQueue


class Snapshot(NamedTuple):
    """Every download in the order of the queue; the speed of all in bytes a second, now and before."""

    states: tuple[DownloadState, ...] = ()
    speed: float = 0.0
    history: tuple[float, ...] = ()


class Downloads(QObject):
    """Hands on what the queue says, and what a person wants of it.

    Attributes:
        now: the newest `Snapshot`.

    Signals:
        changed: the `Snapshot`.
        finished: a `DownloadState` that has been done since the last one.
        failed: one that has failed since.
        refused: the `Problem` of something that a person wanted.
    """

    changed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    refused = Signal(object)
    _told = Signal(object)

    def __init__(
        self, background: Background, queue: "DownloadQueue", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.now = Snapshot()
        self._background = background
        self._queue = queue
        self._seen = False
        self._told.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = queue.subscribe(self._tell)

    def start(self) -> None:
        """Go on with what an earlier run of the program left."""
        self._background.run_in_order(self, self._begin, self._take_first, self._refuse)

    def stop(self) -> None:
        """Listen no longer."""
        self._unsubscribe()

    def state_of(self, download_id: str) -> DownloadState | None:
        return next((state for state in self.now.states if state.request.id == download_id), None)

    def add(self, request: DownloadRequest) -> None:
        """Fetch this, or go on with it where it has been asked for before."""
        self._do(partial(self._fetch, request))

    def pause(self, download_id: str) -> None:
        self._do(partial(self._queue.pause, download_id))

    def resume(self, download_id: str) -> None:
        self._do(partial(self._queue.resume, download_id))

    def retry(self, download_id: str) -> None:
        self._do(partial(self._queue.retry, download_id))

    def cancel(self, download_id: str) -> None:
        """Give it up: what was fetched of it is deleted."""
        self._do(partial(self._queue.cancel, download_id))

    def remove(self, download_id: str) -> None:
        """Take something that has ended off the list."""
        self._do(partial(self._queue.remove, download_id))

    def move(self, download_id: str, position: int) -> None:
        self._do(partial(self._queue.move, download_id, position))

    def pause_all(self) -> None:
        self._do(self._queue.pause_all)

    def resume_all(self) -> None:
        self._do(self._queue.resume_all)

    def clear_finished(self) -> None:
        self._do(self._queue.clear_finished)

    def _begin(self) -> Snapshot:
        self._queue.start()
        return self._snapshot(self._queue.states())

    def _fetch(self, request: DownloadRequest) -> None:
        before = {state.request.id: state.phase for state in self._queue.states()}
        self._queue.add(request)
        match before.get(request.id):
            case "paused":
                self._queue.resume(request.id)
            case "failed":
                self._queue.retry(request.id)

    def _tell(self, states: Sequence[DownloadState]) -> None:
        """On a thread of the queue."""
        self._told.emit(self._snapshot(states))

    def _snapshot(self, states: Sequence[DownloadState]) -> Snapshot:
        return Snapshot(tuple(states), self._queue.total_speed(), self._queue.speed_history())

    def _take_first(self, snapshot: Snapshot) -> None:
        if not self._seen:  # else the queue has told of something newer meanwhile
            self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        before = {state.request.id: state.phase for state in self.now.states}
        first, self._seen = not self._seen, True
        self.now = snapshot
        self.changed.emit(snapshot)
        if first:  # what ended in an earlier run of the program is no news
            return
        for state in snapshot.states:
            if state.phase == before.get(state.request.id):
                continue
            if state.phase == "done":
                self.finished.emit(state)
            elif state.phase == "failed":
                self.failed.emit(state)

    def _do(self, op: Callable[[], object]) -> None:
        self._background.run_in_order(self, op, None, self._refuse)

    def _refuse(self, error: Exception) -> None:
        problem: Problem | None = problem_from(error)
        if problem is None:
            raise error
        self.refused.emit(problem)
