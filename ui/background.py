"""The one way in which the window does something long: off the main thread, and back."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from PySide6.QtCore import (
    QDeadlineTimer,
    QObject,
    Qt,
    QThreadPool,
    Signal,
    SignalInstance,
)
from shiboken6 import isValid

T = TypeVar("T")
Cancelled = threading.Event
Report = Callable[[Any], None]
OnError = Callable[[Exception], None]

_AT_ONCE = 8
_NO_BOUND = 10_000


class _Job(NamedTuple):
    owner: QObject
    on_done: Callable[[Any], None] | None
    on_error: OnError | None
    on_report: Report | None = None
    cancel: Callable[..., None] | None = None


class Task:
    """Something that was started and may no longer be wanted."""

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """End it soon, if it still runs. None of its callbacks is called any more."""
        self._cancel()


class Background(QObject):
    """Runs operations on threads of its own and hands their results to the main thread.

    An operation must not touch a widget; it returns plain data. Its callbacks run on the main
    thread, and not at all once their `owner` is destroyed. Without `on_error` a failure is raised
    on the main thread, where it reaches the program's reporter like any other bug.

    Each kind of work has threads of its own, so that none waits for another: `run` is for what is
    short, `run_in_order` for the database, `run_long` and `run_reporting` for what takes minutes (each
    has a thread at once), and `look_up` for what depends on a server or a slow disk.
    """

    _done = Signal(int, object)
    _failed = Signal(int, object)
    _reported = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = self._new_pool(_AT_ONCE)
        self._line = self._new_pool(1)
        self._long = self._new_pool(_NO_BOUND)
        self._lookups = self._new_pool(_AT_ONCE)
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
        self._start(self._pool, _Job(owner, on_done, on_error), lambda report: op())

    def run_in_order(
        self,
        owner: QObject,
        op: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Run `op` after every earlier operation of this kind: for the database."""
        self._start(self._line, _Job(owner, on_done, on_error), lambda report: op())

    def run_long(
        self,
        owner: QObject,
        op: Callable[[Cancelled], T],
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> Task:
        """Run `op` now, whatever else is running: an answer, or a model that is being loaded.

        `op` ends soon after the event that it is given is set, by the task or by the owner's end.
        """
        return self._start_cancellable(self._long, _Job(owner, on_done, on_error), op)

    def run_reporting(
        self,
        owner: QObject,
        op: Callable[[Report], T],
        on_report: Report,
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Run `op` now. It hands interim results to the function it is given, in order."""
        self._start(self._long, _Job(owner, on_done, on_error, on_report), op)

    def look_up(
        self,
        owner: QObject,
        op: Callable[[Cancelled], T],
        on_done: Callable[[T], None] | None = None,
        on_error: OnError | None = None,
    ) -> Task:
        """Run `op`, which asks a server or reads from afar, as `run_long` does; a few at a time.

        Cancel what nobody waits for any more, so that others need not wait behind it.
        """
        return self._start_cancellable(self._lookups, _Job(owner, on_done, on_error), op)

    def finish(self, timeout_ms: int) -> bool:
        """Start no further operation, call no further callback, and wait. False if something still runs.

        What waits in order is still done: it is the person's work on its way to the database. Whoever
        started a long operation has to tell it to stop first.
        """
        self._finishing = True
        for number in tuple(self._jobs):
            self._forget(number, cancel=True)
        beside = (self._pool, self._long, self._lookups)
        for pool in beside:
            pool.clear()
        deadline = QDeadlineTimer(timeout_ms)
        # Each is waited for, also after one that did not end.
        ended = [pool.waitForDone(deadline.remainingTime()) for pool in (self._line, *beside)]
        return all(ended)

    def _new_pool(self, threads: int) -> QThreadPool:
        pool = QThreadPool(self)
        pool.setMaxThreadCount(threads)
        return pool

    def _start_cancellable(
        self, pool: QThreadPool, job: _Job, op: Callable[[Cancelled], Any]
    ) -> Task:
        cancelled = Cancelled()

        def unless_cancelled(report: Report) -> Any:
            return None if cancelled.is_set() else op(cancelled)

        def cancel(*_: object) -> None:
            cancelled.set()

        job.owner.destroyed.connect(cancel)
        job = job._replace(cancel=cancel)
        return Task(partial(self._forget, self._start(pool, job, unless_cancelled), cancel=True))

    def _start(self, pool: QThreadPool, job: _Job, op: Callable[[Report], Any]) -> int:
        self._last += 1
        number = self._last
        if self._finishing:
            return number
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
        return number

    def _forget(self, number: int, *, cancel: bool = False) -> _Job | None:
        """Take the job off the list. None of its callbacks is called any more."""
        job = self._jobs.pop(number, None)
        if job is not None and job.cancel is not None:
            if cancel:
                job.cancel()
            if isValid(job.owner):
                job.owner.destroyed.disconnect(job.cancel)
        return job

    def _deliver_result(self, number: int, result: object) -> None:
        job = self._forget(number)
        if job is not None and job.on_done is not None and isValid(job.owner):
            job.on_done(result)

    def _deliver_error(self, number: int, error: Exception) -> None:
        job = self._forget(number)
        if job is None or not isValid(job.owner):
            return
        if job.on_error is None:
            raise error
        job.on_error(error)

    def _deliver_report(self, number: int, item: object) -> None:
        job = self._jobs.get(number)
        if job is not None and job.on_report is not None and isValid(job.owner):
            job.on_report(item)
