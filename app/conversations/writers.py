"""Which process is writing an answer, so that another one knows when nobody is any more."""

import os
from typing import NamedTuple

import psutil

# Start times are reckoned from the boot time, which moves when the clock is set.
_CLOCK_DRIFT_SECONDS = 5.0


class Writer(NamedTuple):
    """A process. The number alone would be taken for a later process that was given it again."""

    pid: int
    started: float


def this_process() -> Writer:
    return Writer(os.getpid(), psutil.Process().create_time())


def is_running(writer: Writer) -> bool:
    try:
        process = psutil.Process(writer.pid)
        started: float = process.create_time()
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(started - writer.started) < _CLOCK_DRIFT_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
