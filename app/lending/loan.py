"""One guest, and what it has asked for."""

import logging
import queue
import threading
import time
from array import array
from multiprocessing.connection import Connection
from typing import cast

from app.engines import Engines
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
    NotLent,
    Order,
    Reply,
    Vector,
    Wait,
    failed_by,
)
from app.lending.talk import TALK_ENDS, Talk
from backends.errors import BackendError, EngineCrashed
from backends.protocol import ChatStream, Finished, Question, Session, TokenSession

_log = logging.getLogger(__name__)

_BUG = Failed(
    "crash",
    "The answer was cut off.",
    "Something went wrong in the program that lent the model.",
    "",
    "",
)

_TEXTS_AT_ONCE = 32
"""Before it is looked whether anybody still wants their vectors."""

_LOOK_SECONDS = 0.5
_UNUSED_SECONDS = 10.0
"""A guest that asks nothing for so long, suspended perhaps, keeps others from other models no more."""


class Loan:
    """A thread listens to the guest, one tells it what happens, one holds the model for it, and one
    runs each of its requests: a guest that doesn't read keeps nobody else from the model, and one
    that is gone is noticed at once.
    """

    def __init__(
        self, engines: Engines, connection: Connection, key: bytes, closing: threading.Event
    ) -> None:
        """`closing` is set when nobody who still waits is to come in."""
        self._engines = engines
        self._talk = Talk(connection, Order)
        self._key = key
        self._closing = closing
        self._gone = threading.Event()
        self._outbox: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._session: Session | None = None
        self._lock = threading.Lock()  # guards what follows
        self._streams: dict[int, ChatStream] = {}
        self._cancelled: set[int] = set()
        self._jobs: list[threading.Thread] = []
        self._crash: EngineCrashed | None = None
        self._thread = threading.Thread(target=self._listen, name="loan", daemon=True)

    @property
    def is_lent(self) -> bool:
        return self._session is not None and not self._gone.is_set()

    @property
    def ended(self) -> bool:
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def hang_up(self) -> None:
        self._talk.hang_up()

    def _listen(self) -> None:
        telling = threading.Thread(target=self._tell, name="loan-telling", daemon=True)
        holding: threading.Thread | None = None
        telling.start()
        try:
            self._talk.greet_guest(self._key)
            asked = self._talk.receive().command
            if not isinstance(asked, Ask):
                return
            holding = threading.Thread(
                target=self._hold, args=(asked,), name="loan-holding", daemon=True
            )
            holding.start()
            while True:
                self._obey(self._talk.receive())
        except TALK_ENDS as end:
            _log.debug("a guest is gone: %r", end)
        finally:
            self._gone.set()
            self._talk.hang_up()
            if holding is not None:
                holding.join()
            self._outbox.put(None)
            telling.join()
            self._talk.close()

    def _tell(self) -> None:
        try:
            while (reply := self._outbox.get()) is not None:
                self._talk.send(reply)
        except TALK_ENDS:
            self._talk.hang_up()

    def _hold(self, asked: Ask) -> None:
        """Be a user of the engine, as long as the guest is there."""
        try:
            with self._engines.use_if_loaded(
                asked.path,
                asked.options,
                given_up=lambda: self._gone.is_set() or self._closing.is_set(),
                on_wait=lambda: self._outbox.put(Reply(ASKING, Wait())),
            ) as session:
                if session is None:
                    self._outbox.put(Reply(ASKING, NotLent()))
                    return
                self._session = session
                self._outbox.put(Reply(ASKING, Lent(session.info)))
                self._wait_until_unused()
                self._session = None
                self._end_jobs()
                if self._crash is not None:
                    raise self._crash
        except BackendError as error:
            _log.debug("the guest was told: %s", error)

    def _wait_until_unused(self) -> None:
        used = time.monotonic()
        while not self._gone.wait(_LOOK_SECONDS):
            with self._lock:
                is_used = any(job.is_alive() for job in self._jobs)
            if is_used:
                used = time.monotonic()
            elif time.monotonic() - used > _UNUSED_SECONDS:
                return

    def _end_jobs(self) -> None:
        with self._lock:
            streams, jobs = list(self._streams.values()), list(self._jobs)
        for stream in streams:
            stream.close()
        for job in jobs:
            job.join()

    def _obey(self, order: Order) -> None:
        """Raises ValueError for what can't be asked now."""
        session, command = self._session, order.command
        if session is None or isinstance(command, Ask):
            raise ValueError("asked for nothing that is lent")
        with self._lock:
            if isinstance(command, Cancel):
                self._cancelled.add(order.job)
                if order.job in self._streams:
                    self._streams[order.job].close()
                return
            self._jobs = [job for job in self._jobs if job.is_alive()]
            job = threading.Thread(
                target=self._work, args=(session, order.job, command), name="loan-job", daemon=True
            )
            job.start()
            self._jobs.append(job)

    def _work(self, session: Session, job: int, command: Chat | Count | Embed | Question) -> None:
        try:
            if isinstance(command, Chat):
                self._chat(session, job, command)
            elif isinstance(command, Embed):
                self._embed(session, job, command)
            elif isinstance(command, Count):
                tokens = session.count_tokens(command.messages)
                self._outbox.put(Reply(job, Counted(tokens)))
            else:
                self._outbox.put(Reply(job, cast(TokenSession, session).spell(command)))
        except BackendError as error:
            if isinstance(error, EngineCrashed):
                self._crash = error
            self._outbox.put(Reply(job, failed_by(error)))
        except Exception:
            _log.exception("a guest's request failed")
            self._outbox.put(Reply(job, _BUG))

    def _chat(self, session: Session, job: int, command: Chat) -> None:
        stream = session.chat(command.request)
        with self._lock:
            self._streams[job] = stream
            is_over = job in self._cancelled or self._gone.is_set()
        if is_over:
            stream.close()
        try:
            for event in stream:
                self._outbox.put(Reply(job, event))
        finally:
            with self._lock:
                del self._streams[job]

    def _embed(self, session: Session, job: int, command: Embed) -> None:
        tokens = 0
        for start in range(0, len(command.texts), _TEXTS_AT_ONCE):
            with self._lock:
                is_over = job in self._cancelled or self._session is None or self._gone.is_set()
            if is_over:
                self._outbox.put(Reply(job, Finished("cancelled")))
                return
            made = session.embed(command.texts[start : start + _TEXTS_AT_ONCE])
            tokens += made.tokens
            for vector in made.vectors:
                self._outbox.put(Reply(job, Vector(array("f", vector).tobytes())))
        self._outbox.put(Reply(job, Embedded(tokens)))
