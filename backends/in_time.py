"""Asking several strangers at once, and not waiting for who hangs."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

Key = TypeVar("Key")
T = TypeVar("T")


def done_in_time(works: Mapping[Key, Callable[[], T]], seconds: float) -> dict[Key, T]:
    """What those came to that were done within so many seconds, all together.

    Each runs on a daemon thread of its own, since one that hangs can't be ended. They must not raise.
    """
    come: queue.SimpleQueue[tuple[Key, T]] = queue.SimpleQueue()

    def work_at(key: Key, work: Callable[[], T]) -> None:
        come.put((key, work()))

    for key, work in works.items():
        run = partial(work_at, key, work)
        threading.Thread(target=run, name=f"plug-in {key}", daemon=True).start()
    deadline = time.monotonic() + seconds
    done: dict[Key, T] = {}
    while len(done) < len(works):
        try:
            key, result = come.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        done[key] = result
    return done
