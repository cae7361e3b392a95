"""One request to a service: it runs on a thread of its own, so that a cancel never has to wait.

The thread may hang in a name server or a handshake that nothing can end from outside. Whoever waits
for the answer is freed at once all the same; the thread ends by its own time-outs.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import httpx2
import msgspec

from backends.errors import BackendError, Unreachable
from backends.openai_compatible.broken import in_words
from backends.openai_compatible.lines import Line, Lines
from backends.openai_compatible.patience import Patience

_MOST_CHUNKS = 64
_END_SECONDS = 0.25
_POLL_SECONDS = 0.1


class CallClosed(Exception):
    """The call was closed while someone waited for it."""


class Head(msgspec.Struct, frozen=True):
    """How an answer begins. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]


class Call:
    """A request under way. `close` breaks it off and may be called from any thread, at any time."""

    def __init__(
        self,
        lines: Lines,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        patience: Patience,
        name: str,
        cancelled: threading.Event,
    ) -> None:
        """Begins at once. `name` is the service's, for errors.

        Soon after `cancelled` is set, whoever waits for the answer gets a CallClosed.
        """
        self._lines = lines
        self._method, self._url, self._headers, self._body = method, url, headers, body
        self._patience = patience
        self._name = name
        self._cancelled = cancelled
        self._changed = threading.Condition()
        self._head: Head | None = None
        self._chunks: deque[bytes] = deque()
        self._error: Exception | None = None
        self._ended = False
        self._closed = False
        self._line: Line | None = None
        threading.Thread(target=self._run, name=f"request to {name}", daemon=True).start()

    def head(self, seconds: float) -> Head:
        """Waits for the beginning of the answer. Raises Unreachable and CallClosed."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._head is None:
                self._check()
                self._wait(deadline)
            return self._head

    def chunks(self, patience: Callable[[], float]) -> Iterator[bytes]:
        """The body in pieces. Before each, `patience` says for how many seconds to wait.

        Raises Unreachable where the connection broke off or nothing came, and CallClosed.
        """
        while True:
            deadline = time.monotonic() + patience()
            with self._changed:
                while not self._chunks:
                    self._check()
                    if self._ended:
                        return
                    self._wait(deadline)
                if self._closed:
                    raise CallClosed
                chunk = self._chunks.popleft()
                self._changed.notify_all()
            yield chunk

    def body(self, limit: int, seconds: float) -> bytes | None:
        """The whole body; None where it is above `limit` bytes. Raises as `chunks` does."""
        deadline = time.monotonic() + seconds
        body = bytearray()
        for chunk in self.chunks(lambda: deadline - time.monotonic()):
            body += chunk
            if len(body) > limit:
                return None
        return bytes(body)

    def finish(self) -> None:
        """Nothing more is wanted of the answer: keep the connection if that was all, else close."""
        deadline = time.monotonic() + _END_SECONDS
        with self._changed:
            while not self._ended and self._error is None and not self._closed:
                self._chunks.clear()
                self._changed.notify_all()
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    break
        self.close()

    def close(self) -> None:
        """Returns at once. The connection is shut down, or will be as soon as it stands."""
        with self._changed:
            self._closed = True
            self._chunks.clear()
            if self._line is not None:
                self._line.hang_up()
            self._changed.notify_all()

    def _check(self) -> None:
        if self._closed or self._cancelled.is_set():
            raise CallClosed
        if self._error is not None:
            error, self._error = self._error, CallClosed()
            raise error from None

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._silent()
        self._changed.wait(min(left, _POLL_SECONDS))

    def _silent(self) -> BackendError:
        return Unreachable(
            f"{self._name} sends nothing.",
            "It was waited for long enough.",
            "Try again, or choose another model.",
        )

    def _run(self) -> None:
        try:
            line = self._lines.take()
        except BackendError as refusal:
            self._end(refusal)
            return
        whole = False
        error: Exception | None = None
        try:
            with self._changed:
                self._line = None if self._closed else line
            if self._line is not None:
                whole = self._receive(line)
        except httpx2.HTTPError as failure:
            error = in_words(failure, self._name, self._url, kept=line.kept and self._head is None)
        except (httpx2.InvalidURL, httpx2.CookieConflict, UnicodeError):
            error = Unreachable(
                f"There is no connection to {self._name}.",
                "Its address, or the proxy's, is not valid.",
                "Check the one under Services, the other in the settings.",
            )
        except Exception as failure:
            error = failure
        with self._changed:
            self._line = None  # from here on it is no longer this call's to hang up
        self._lines.give_back(line, usable=whole)
        self._end(error)

    def _receive(self, line: Line) -> bool:
        """Whether the answer came to its end."""
        patience = self._patience
        silence = max(patience.first_byte, patience.stall)
        with line.send(
            self._method,
            self._url,
            self._headers,
            self._body,
            httpx2.Timeout(silence, connect=patience.connect, pool=patience.connect),
        ) as answer:
            names = {name.lower(): value for name, value in answer.headers.items()}
            with self._changed:
                self._head = Head(answer.status_code, names)
                self._changed.notify_all()
            for chunk in answer.iter_raw():
                if not self._deliver(chunk):
                    return False
        return True

    def _deliver(self, chunk: bytes) -> bool:
        """Waits while too much is waiting to be read. False if nobody wants it any more."""
        with self._changed:
            while len(self._chunks) >= _MOST_CHUNKS and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            self._chunks.append(chunk)
            self._changed.notify_all()
            return True

    def _end(self, error: Exception | None) -> None:
        with self._changed:
            self._error = error
            self._ended = True
            self._changed.notify_all()
