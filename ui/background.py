"""The one way in which the window does something long: off the main thread, and back."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, SignalInstance
from shiboken6 import isValid

T = TypeVar("T")
Report = Callable[[Any], None]
OnError = Callable[[Exception], None]


class _Job(NamedTuple):
    owner: QObject
    on_done: Callable[[Any], None] | None
    on_error: OnError | None
    on_report: Report | None


class Background(QObject):
    """Runs operations on threads of its own and hands their results to the main thread.

    An operation must not touch a widget; it returns plain data. Its callbacks run on the main
    thread, and not at all once their `owner` is destroyed. Without `on_error` a failure is raised
    on the main thread, where it reaches the program's reporter like any other bug.
    """

    _done = Signal(int, object)
    _failed = Signal(int, object)
    _reported = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        # Downloads and answers hold a thread for minutes, so there are more threads than cores.
        self._pool.setMaxThreadCount(8)
        self._line = QThreadPool(self)
        self._line.setMaxThreadCount(1)
        # Callbacks hold widgets, and a widget must die on the main thread: a worker thread is
        # given the number of its job, never the job.
        self._jobs: dict[int, _Job] = {}
        self._last = 0
        self._finishing = False
        queued = Qt.ConnectionType.QueuedConnection
        self._done.connect(self._deliver_result, queued)
        self._failed.connect(self._deliver_error, queued)
        self._reported.connect(self._deliver_report, queued)

    def run(
        self,
        owner: QObject,
        op: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Run `op`, beside whatever else is running."""
        self._start(self._pool, _Job(owner, on_done, on_error, None), lambda report: op())

    def run_in_order(
        self,
        owner: QObject,
        op: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Run `op` after every earlier operation of this kind: for the database."""
        self._start(self._line, _Job(owner, on_done, on_error, None), lambda report: op())

    def run_reporting(
        self,
        owner: QObject,
        op: Callable[[Report], T],
        on_report: Report,
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Run `op`, which hands interim results to the function it is given, in order."""
        self._start(self._pool, _Job(owner, on_done, on_error, on_report), op)

    def finish(self, timeout_ms: int) -> bool:
        """Begin and deliver nothing more, and wait; False if something still runs.

        What waits in order is still done: it is the person's work on its way to the database. Whoever
        started a long operation tells it to stop first.
        """
        self._finishing = True
        self._jobs.clear()
        self._pool.clear()
        return self._pool.waitForDone(timeout_ms) and self._line.waitForDone(timeout_ms)

    def _start(self, pool: QThreadPool, job: _Job, op: Callable[[Report], Any]) -> None:
        if self._finishing:
            return
        self._last += 1
        number = self._last
        self._jobs[number] = job

        def tell(signal: SignalInstance, what: object) -> None:
            # Whoever outlasts the end has nobody to tell: this object may be gone by then.
            if not self._finishing:
                signal.emit(number, what)

        def work() -> None:
            try:
                result = op(lambda item: tell(self._reported, item))
            except Exception as error:
                tell(self._failed, error)
            else:
                tell(self._done, result)

        pool.start(work)

    def _deliver_result(self, number: int, result: object) -> None:
        job = self._jobs.pop(number, None)
        if job is not None and job.on_done is not None and isValid(job.owner):
            job.on_done(result)

    def _deliver_error(self, number: int, error: Exception) -> None:
        job = self._jobs.pop(number, None)
        if job is None or not isValid(job.owner):
            return
        if job.on_error is None:
            raise error
        job.on_error(error)

    def _deliver_report(self, number: int, item: object) -> None:
        job = self._jobs.get(number)
        if job is not None and job.on_report is not None and isValid(job.owner):
            job.on_report(item)
