"""Threads for what blocks, beside the server's loop."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import ParamSpec, TypeVar

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class AnswerThreads(Executor):
    """Runs each call on a thread of its own. How many there are at once, the `Places` bound.

    A thread that another person's engine never gives back doesn't keep the program from ending, as
    those of the standard library's pools do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        run = partial(self._run, future, partial(fn, *args, **kwargs))
        thread = threading.Thread(target=run, name="served answer", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()
        return future

    def close(self, patience_seconds: float) -> None:
        """Wait that long at most for those that still run."""
        deadline = time.monotonic() + patience_seconds
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if left := sum(thread.is_alive() for thread in threads):
            _log.warning("answers that could not be ended are left behind: %d", left)

    def _run(self, future: Future[T], work: Callable[[], T]) -> None:
        try:
            if future.set_running_or_notify_cancel():
                future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
