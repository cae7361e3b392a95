"""The program's end of a worker: start it, talk to it, notice its death, end it."""

import contextlib
import itertools
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import BinaryIO, cast

import msgspec

from backends.child_process import start_child
from backends.llama_cpp.wire import (
    Cancel,
    Channel,
    Chat,
    Close,
    Count,
    Counted,
    Embed,
    Embedded,
    Failed,
    Load,
    Loaded,
    Order,
    Reply,
)
from backends.protocol import Finished, Question, Spelled

LOG_TAIL_BYTES = 8 * 1024
_LOG_CHUNK_BYTES = 1024
_LAST_WORDS_SECONDS = 0.5
_CANCEL_SECONDS = 2.0
_SHARE_TO_SAVE = 0.8


def default_command() -> tuple[str, ...]:
    """How to start a worker: with the frozen program itself, or with this Python."""
    if getattr(sys, "frozen", False):
        return (sys.executable, "worker")
    # -P: a folder that happens to be the current one must not lend us its modules.
    return (sys.executable, "-P", "-m", "backends.llama_cpp.worker")


class Replies:
    """What comes back for one job, in order. None means that the worker died."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[object | None] = queue.SimpleQueue()
        self.ended = threading.Event()

    def put(self, body: object | None) -> None:
        self._queue.put(body)
        if body is None or isinstance(body, (Finished, Failed, Counted, Spelled, Embedded, Loaded)):
            self.ended.set()

    def get(self, timeout: float | None = None) -> object | None:
        """Wait for the next one. Raises `queue.Empty` after `timeout` seconds."""
        return self._queue.get(timeout=timeout)


class WorkerProcess:
    """A running worker. Two threads read what it writes; they end with it.

    All methods may be called from any thread.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Raises OSError when the command can't be started."""
        self._process = start_child(command)
        self._stdin = cast(BinaryIO, self._process.stdin)
        self._stdout = cast(BinaryIO, self._process.stdout)
        self._stderr = cast(BinaryIO, self._process.stderr)
        self._channel = Channel(self._stdout, self._stdin, Reply)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._replies: dict[int, Replies] = {}
        self._dead = False
        self._log: deque[int] = deque(maxlen=LOG_TAIL_BYTES)
        self._threads = [
            threading.Thread(target=target, name=f"worker-{self._process.pid}-{name}", daemon=True)
            for name, target in (("replies", self._read_replies), ("log", self._read_log))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return not self._dead and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def order(self, command: Load | Chat | Count | Embed | Question) -> tuple[int, Replies]:
        """Give an order; the number of the job and its replies. A dead worker replies None."""
        replies = Replies()
        with self._lock:
            job = next(self._numbers)
            if self._dead:
                replies.put(None)
            else:
                self._replies[job] = replies
        self._send(job, command)
        return job, replies

    def cancel(self, job: int, replies: Replies) -> None:
        """End a job, within two seconds at the latest: a worker that does not obey is killed."""
        self._send(job, Cancel())
        if not replies.ended.wait(_CANCEL_SECONDS):
            self.kill()

    def wait(self) -> int:
        """The exit status of a worker that has died."""
        return self._process.wait()

    def log_tail(self) -> str:
        """The last of what it wrote to stderr, complete once it has died."""
        if not self.alive:
            self._threads[1].join(_LAST_WORDS_SECONDS)
        return bytes(self._log.copy()).decode("utf-8", "replace").strip()

    def kill(self) -> None:
        self._process.kill()

    def end(self, seconds: float) -> None:
        """Ask it to save what it may keep and to end, and wait for that so long at most."""
        deadline = time.monotonic() + seconds
        # A worker that hangs may not even read.
        asking = threading.Thread(
            target=self._send,
            args=(next(self._numbers), Close(seconds * _SHARE_TO_SAVE)),
            name=f"worker-{self._process.pid}-end",
            daemon=True,
        )
        asking.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self._process.kill()
        asking.join()

    def close(self) -> None:
        """End it and wait for its end, which frees its memory. It may be hanging."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _send(
        self, job: int, command: Load | Chat | Count | Embed | Question | Cancel | Close
    ) -> None:
        frame = self._channel.frame(Order(job, command))
        # A worker that can't be written to is dead or dying; the reader finds out and says so.
        with contextlib.suppress(OSError, ValueError):
            self._channel.write(frame)

    def _read_replies(self) -> None:
        try:
            while True:
                reply = self._channel.receive()
                with self._lock:
                    replies = self._replies.get(reply.job)
                if replies is not None:
                    replies.put(reply.body)
                    if replies.ended.is_set():
                        with self._lock:
                            del self._replies[reply.job]
        except (EOFError, OSError, ValueError, msgspec.MsgspecError):
            # The end, or not what a worker says: it is of no use any more.
            self._process.kill()
        finally:
            self._process.wait()
            self._bury()
            self._stdout.close()

    def _bury(self) -> None:
        with self._lock:
            self._dead = True
            waiting = list(self._replies.values())
            self._replies.clear()
        for replies in waiting:
            replies.put(None)
        with contextlib.suppress(OSError):
            self._stdin.close()

    def _read_log(self) -> None:
        with self._stderr:
            while chunk := self._stderr.read1(_LOG_CHUNK_BYTES):  # type: ignore[attr-defined]
                self._log.extend(chunk)
