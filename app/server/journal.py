"""The requests of late, for whoever looks: who asks which model, and how it goes. Never on the disk."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

from backends.protocol import Usage

RequestPhase = Literal["waiting", "loading", "answering", "done", "failed", "cancelled"]

T = TypeVar("T")

_KEPT = 200
_LONGEST_TEXT = 4_000
_RATE_SECONDS = 5


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it stands. `began` is Unix time, `seconds` until it ended, 0 while it runs.

    `tokens` came so far. `asked` and `answered` are empty unless the text is to be shown.
    """

    id: int
    began: float
    api: str
    method: str
    path: str
    client: str
    agent: str
    model: str
    phase: RequestPhase
    status: int
    prompt_tokens: int
    cached_tokens: int
    tokens: int
    tokens_per_second: float
    first_token_ms: float
    seconds: float
    problem: str
    asked: str
    answered: str

    @property
    def runs(self) -> bool:
        return self.phase in ("waiting", "loading", "answering")


class RequestNote:
    """What is noted of one request while it runs, from whichever thread works for it."""

    def __init__(
        self,
        journal: "Journal",
        number: int,
        *,
        api: str,
        method: str,
        path: str,
        client: str,
        agent: str,
    ) -> None:
        self._journal = journal
        self._began = time.time()
        self._started = time.perf_counter()
        self._first = 0.0
        self._tokens = 0
        self._usages: list[Usage] = []
        self._answered: list[str] = []
        self._answered_length = 0
        self._seconds = 0.0
        self.number = number
        self.api, self.method, self.path = api, method, path
        self.client, self.agent = client, agent
        self.model = ""
        self.phase: RequestPhase = "waiting"
        self.status = 0
        self.problem = ""
        self.asked = ""
        self.generates = False

    def use(self, model: str, text: str) -> None:
        """It asks this model for an answer to `text`."""
        self.model = model
        self.generates = True
        if self._journal.shows_text:
            self.asked = text[:_LONGEST_TEXT]
        self._journal.tell()

    def move(self, phase: RequestPhase) -> None:
        if phase != self.phase and not self._seconds:
            self.phase = phase
            self._journal.tell()

    def count(self, text: str) -> None:
        """A piece of the answer, thinking included."""
        if not self._first:
            self._first = time.perf_counter() - self._started
        self._tokens += 1
        self._journal.count_token()
        if self._journal.shows_text and self._answered_length < _LONGEST_TEXT:
            self._answered.append(text)
            self._answered_length += len(text)

    def spend(self, usage: Usage) -> None:
        """What one answer of this request took in all."""
        self._usages.append(usage)

    def end(self, status: int, *, cancelled: bool = False) -> None:
        self.status = status
        self._seconds = max(time.perf_counter() - self._started, 1e-6)
        failed = status >= 400 or bool(self.problem)
        self.phase = "cancelled" if cancelled else "failed" if failed else "done"
        self._journal.note_end(self.row())

    def row(self) -> RequestRow:
        usages = tuple(self._usages)
        tokens = sum(usage.completion_tokens for usage in usages) or self._tokens
        took = (self._seconds or time.perf_counter() - self._started) - self._first
        return RequestRow(
            id=self.number,
            began=self._began,
            api=self.api,
            method=self.method,
            path=self.path,
            client=self.client,
            agent=self.agent,
            model=self.model,
            phase=self.phase,
            status=self.status,
            prompt_tokens=sum(usage.prompt_tokens for usage in usages),
            cached_tokens=sum(usage.cached_tokens for usage in usages),
            tokens=tokens,
            tokens_per_second=tokens / took if self._first and took > 0 else 0.0,
            first_token_ms=self._first * 1000,
            seconds=self._seconds,
            problem=self.problem,
            asked=self.asked,
            answered="".join(self._answered)[:_LONGEST_TEXT],
        )


class Journal:
    """The newest requests, and how fast tokens come. From any thread.

    Attributes:
        shows_text: whether what is asked and answered is noted too.
        clients: open connections.
    """

    def __init__(self) -> None:
        self.shows_text = False
        self.clients = 0
        self._numbers = itertools.count(1)
        self._notes: deque[RequestNote] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._enders: list[Callable[[RequestRow], None]] = []
        self._per_second: deque[list[int]] = deque(maxlen=_RATE_SECONDS + 1)

    def begin(self, *, api: str, method: str, path: str, client: str, agent: str) -> RequestNote:
        number = next(self._numbers)
        note = RequestNote(
            self, number, api=api, method=method, path=path, client=client, agent=agent
        )
        with self._lock:
            self._notes.append(note)
        self.tell()
        return note

    def rows(self) -> tuple[RequestRow, ...]:
        """The newest first."""
        with self._lock:
            notes = tuple(self._notes)
        return tuple(note.row() for note in reversed(notes))

    @property
    def tokens_per_second(self) -> float:
        """Of all answers together, over the last few whole seconds."""
        now = int(time.monotonic())
        with self._lock:
            counted = sum(
                n for second, n in self._per_second if now - _RATE_SECONDS <= second < now
            )
        return counted / _RATE_SECONDS

    def clear(self) -> None:
        """Forget what has ended."""
        with self._lock:
            self._notes = deque((note for note in self._notes if note.row().runs), maxlen=_KEPT)
        self.tell()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when a request comes, moves on or ends, on the thread where that happens.

        It must be quick. Tokens are not told of one by one. Returns what ends the subscription.
        """
        return _added(self._listeners, listener, self._lock)

    def on_end(self, listener: Callable[[RequestRow], None]) -> Callable[[], None]:
        """Call `listener` with each request that has ended."""
        return _added(self._enders, listener, self._lock)

    def tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def note_end(self, row: RequestRow) -> None:
        for listener in tuple(self._enders):
            listener(row)
        self.tell()

    def count_token(self) -> None:
        second = int(time.monotonic())
        with self._lock:
            if not self._per_second or self._per_second[-1][0] != second:
                self._per_second.append([second, 0])
            self._per_second[-1][1] += 1


def _added(listeners: list[T], listener: T, lock: threading.Lock) -> Callable[[], None]:
    with lock:
        listeners.append(listener)

    def remove() -> None:
        with lock:
            if listener in listeners:
                listeners.remove(listener)

    return remove
