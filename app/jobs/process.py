"""A job's process, seen from the program: begun, listened to, cancelled, ended."""

import contextlib
import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, cast

import msgspec

from app.errors import AppError
from app.jobs.orders import Order, Said
from app.worker_tools import program
from backends.child_process import start_child
from backends.errors import EngineCrashed
from backends.llama_cpp.deaths import why_it_died
from catalog.errors import DownloadCancelled

_POLL_SECONDS = 0.1
_END_SECONDS = 2.0
_LOG_BYTES = 8192


def run_job(
    order: Order, *, on_progress: Callable[[float], None], cancelled: threading.Event
) -> None:
    """Have an order carried out in a process that ends with this one.

    Blocks; `on_progress` is called on this thread with the part that is done, 0…1. Raises
    `DownloadCancelled`, `AppError` in the words of the job, and `EngineCrashed` where it died.
    """
    with _begun(order) as job:
        while True:
            if cancelled.is_set():
                raise DownloadCancelled("The work was cancelled.")
            try:
                said = job.said.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if said is None:
                raise _death(job)
            if said.problem is not None:
                raise AppError(*said.problem)
            if said.done:
                return
            on_progress(said.fraction)


class _Job(NamedTuple):
    """`said` ends with None when the process does."""

    process: subprocess.Popen[bytes]
    said: queue.SimpleQueue[Said | None]
    log: BinaryIO


@contextlib.contextmanager
def _begun(order: Order) -> Iterator[_Job]:
    """A job, which is ended at the end of the block, whatever it is doing."""
    with tempfile.TemporaryFile() as log:
        process = start_child(
            [*program(), "worker", "job", msgspec.json.encode(order).decode()], stderr=log
        )
        stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
        job = _Job(process, queue.SimpleQueue(), cast(BinaryIO, log))
        reader = threading.Thread(
            target=_listen, args=(stdout, job.said), name=f"job-{process.pid}", daemon=True
        )
        reader.start()
        try:
            yield job
        finally:
            stdin.close()  # which ends it
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            stdout.close()


def _listen(stdout: BinaryIO, said: queue.SimpleQueue[Said | None]) -> None:
    with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):
        for line in stdout:
            said.put(msgspec.json.decode(line, type=Said))
    said.put(None)


def _death(job: _Job) -> EngineCrashed:
    status = job.process.wait()
    job.log.seek(0, 2)
    job.log.seek(max(0, job.log.tell() - _LOG_BYTES))
    tail = job.log.read().decode("utf-8", "replace").strip()
    return EngineCrashed("The work was broken off.", why_it_died(status), "Try again.", detail=tail)
