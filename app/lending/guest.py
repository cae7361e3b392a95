"""The side that borrows: a session on a model that another process has loaded."""

import itertools
import queue
import socket
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Client, Connection
from typing import cast

import msgspec

from app.lending.addresses import Address
from app.lending.messages import (
    ASKING,
    Ask,
    Cancel,
    Chat,
    Count,
    Counted,
    Embed,
    Embedded,
    Failed,
    Lent,
    Order,
    Reply,
    Vector,
    Wait,
    error_from,
)
from app.lending.talk import TALK_ENDS, Talk, TooLarge
from backends.errors import EngineCrashed, PromptTooLong
from backends.protocol import (
    ChatRequest,
    Embeddings,
    Event,
    Finished,
    LoadOptions,
    Message,
    Question,
    SessionInfo,
    Spelled,
    Text,
)

_CONNECT_SECONDS = 2.0
_POLL_SECONDS = 0.1
_SILENCE_SECONDS = 5.0
"""A host that waits says so ten times a second: one that says nothing for so long is not asked."""

_CANCEL_SECONDS = 4.0
"""The host itself kills a worker that does not stop within two."""

_CHAT_TOO_LONG = (
    "The chat is too long for any model.",
    "With the newest message it is too much to hand over.",
    "Shorten the message, or begin a new chat.",
)
_TEXTS_TOO_LONG = (
    "The texts are too long together.",
    "They are too much to hand over.",
    "Send fewer at once.",
)


class HostGone(Exception):
    """Nobody listens at that address any more."""


def ask(
    address: Address,
    path: str,
    options: LoadOptions,
    given_up: Callable[[], bool],
    on_wait: Callable[[], None],
) -> "BorrowedSession | None":
    """Borrow the model from one host, waiting in its line; None where it doesn't lend it.

    Raises `HostGone`.
    """
    talk = Talk(_connect(address.address), Reply)
    info: SessionInfo | None = None
    try:
        talk.greet_host(address.key)
        talk.send(Order(ASKING, Ask(path, options)))
        info = _wait(talk, given_up, on_wait)
    except TALK_ENDS:
        return None
    finally:
        if info is None:
            talk.close()
    return BorrowedSession(talk, info) if info is not None else None


def _wait(
    talk: Talk[Reply], given_up: Callable[[], bool], on_wait: Callable[[], None]
) -> SessionInfo | None:
    heard = time.monotonic()
    while not given_up() and time.monotonic() - heard < _SILENCE_SECONDS:
        if not talk.has_news(_POLL_SECONDS):
            continue
        body = talk.receive().body
        if isinstance(body, Lent):
            return body.info
        if not isinstance(body, Wait):
            return None
        heard = time.monotonic()
        on_wait()
    return None


def _connect(address: str) -> Connection:
    """Raises `HostGone`."""
    try:
        if sys.platform == "win32":
            return Client(address, "AF_PIPE")
        with socket.socket(socket.AF_UNIX) as connecting:
            connecting.settimeout(_CONNECT_SECONDS)  # one that hangs may have a full line
            connecting.connect(address)
            connecting.setblocking(True)
            return Connection(connecting.detach())
    except TimeoutError:
        raise
    except (OSError, ValueError) as error:
        raise HostGone from error


class _Job:
    """What comes back for one request, in order. None means that the host is gone."""

    def __init__(self) -> None:
        self.replies: queue.SimpleQueue[object | None] = queue.SimpleQueue()
        self.ended = threading.Event()

    def put(self, body: object | None) -> None:
        self.replies.put(body)
        if body is None or isinstance(body, (Finished, Failed, Counted, Spelled, Embedded)):
            self.ended.set()


class BorrowedSession:
    """Implements `backends.protocol.Session`. A thread reads what the host says, until `close`."""

    def __init__(self, talk: Talk[Reply], info: SessionInfo) -> None:
        """Takes over the connection."""
        self._talk = talk
        self._info = info
        self._numbers = itertools.count(ASKING + 1)
        self._lock = threading.Lock()
        self._jobs: dict[int, _Job] = {}
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="borrowed model", daemon=True)
        self._thread.start()

    @property
    def info(self) -> SessionInfo:
        return self._info

    @property
    def alive(self) -> bool:
        return not self._ended

    def chat(self, request: ChatRequest) -> "BorrowedStream":
        """Begin an answer, beside those that are being given. Raises PromptTooLong."""
        number, job = self._order(Chat(request), _CHAT_TOO_LONG)
        return BorrowedStream(self, number, job)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the messages come to as a prompt. Raises PromptTooLong."""
        _, job = self._order(Count(tuple(messages)), _CHAT_TOO_LONG)
        body = job.replies.get()
        if isinstance(body, Failed):
            raise error_from(body)
        if body is None:
            raise host_gone()
        return cast(Counted, body).tokens

    def spell(self, question: Question) -> Spelled:
        """What a text is in tokens, or tokens or messages as text. Raises PromptTooLong or Unsupported."""
        _, job = self._order(question, _TEXTS_TOO_LONG)
        body = job.replies.get()
        if isinstance(body, Failed):
            raise error_from(body)
        if body is None:
            raise host_gone()
        return cast(Spelled, body)

    def embed(self, texts: Sequence[Text]) -> Embeddings:
        """Vectors of the texts. Raises PromptTooLong or Unsupported."""
        number, job = self._order(Embed(tuple(texts)), _TEXTS_TOO_LONG)
        vectors: list[tuple[float, ...]] = []
        try:
            while True:
                body = job.replies.get()
                if isinstance(body, Vector):
                    vectors.append(tuple(array("f", body.values)))
                elif isinstance(body, Embedded):
                    return Embeddings(vectors=tuple(vectors), tokens=body.tokens)
                elif isinstance(body, Failed):
                    raise error_from(body)
                else:
                    raise host_gone()
        except KeyboardInterrupt:
            self.cancel(number, job)
            raise

    def close(self) -> None:
        self._talk.hang_up()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def cancel(self, number: int, job: _Job) -> None:
        """End a job, within seconds: from a host that doesn't obey nothing more is heard."""
        with suppress(*TALK_ENDS):
            self._talk.send(Order(number, Cancel()))
        if not job.ended.wait(_CANCEL_SECONDS):
            self._talk.hang_up()

    def _order(
        self, command: Chat | Count | Embed | Question, too_long: tuple[str, str, str]
    ) -> tuple[int, _Job]:
        job = _Job()
        with self._lock:
            number = next(self._numbers)
            if self._ended:
                job.put(None)
            else:
                self._jobs[number] = job
        try:
            self._talk.send(Order(number, command))
        except TooLarge as error:
            with self._lock:
                self._jobs.pop(number, None)
            raise PromptTooLong(*too_long) from error
        except OSError:
            pass  # the host is gone: the thread that reads finds out
        return number, job

    def _read(self) -> None:
        try:
            while True:
                reply = self._talk.receive()
                with self._lock:
                    job = self._jobs.get(reply.job)
                if job is not None:
                    job.put(reply.body)
                    if job.ended.is_set():
                        with self._lock:
                            del self._jobs[reply.job]
        except TALK_ENDS:
            pass
        finally:
            with self._lock:
                self._ended = True
                waiting = list(self._jobs.values())
                self._jobs.clear()
            for job in waiting:
                job.put(None)
            self._talk.close()


class BorrowedStream:
    """Implements `backends.protocol.ChatStream`. Iterate on one thread, close from any."""

    def __init__(self, session: BorrowedSession, number: int, job: _Job) -> None:
        self._session = session
        self._number = number
        self._job = job
        self._closed = threading.Event()
        self._exhausted = False

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        if self._exhausted:
            raise StopIteration
        body = self._job.replies.get()
        if body is None or isinstance(body, (Failed, Finished)):
            self._exhausted = True
            if self._closed.is_set():
                finished = body if isinstance(body, Finished) else Finished("cancelled")
                return msgspec.structs.replace(finished, reason="cancelled")
            if body is None:
                raise host_gone()
            if isinstance(body, Failed):
                raise error_from(body)
        return cast(Event, body)

    def close(self) -> None:
        """Returns at once."""
        if self._closed.is_set() or self._job.ended.is_set():
            self._closed.set()
            return
        self._closed.set()
        # A host that hangs may not even read; the caller's thread must not wait for that.
        threading.Thread(
            target=self._session.cancel,
            args=(self._number, self._job),
            name="borrowed model-cancel",
            daemon=True,
        ).start()


def host_gone() -> EngineCrashed:
    return EngineCrashed(
        "The answer was cut off.",
        "Another window or command of Causeway had the model in its memory, and has ended.",
        "Ask again: the model is loaded here then.",
    )
