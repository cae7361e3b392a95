"""Ctrl+C and its like, turned into an orderly stop."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Inside the block the first signal calls `stop`, on a thread of its own; the second one
    raises `KeyboardInterrupt`.

    A handler runs between any two instructions of the main thread, so it must not take locks that
    this thread may be holding.
    """
    threads: list[threading.Thread] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if threads:
            raise KeyboardInterrupt
        thread = threading.Thread(target=stop, name="stop on signal")
        threads.append(thread)
        thread.start()

    before = {
        number: signal.signal(number, handle)
        for number in _SIGNALS
        if signal.getsignal(number) != signal.SIG_IGN  # nohup is to keep its promise
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for thread in threads:
            thread.join()
