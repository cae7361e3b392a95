"""Saves a streaming answer as it grows."""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec

from app.conversations.records import Message, Origin, Status
from app.conversations.store import ConversationStore
from app.errors import StorageError
from backends.protocol import TokenLogprob

_FLUSH_SECONDS = 0.7
"""A killed program loses at most a second of an answer; the rest of it is for a slow disk."""


class AnswerRecorder:
    """Gathers the pieces of one answer and saves them by time, from a thread of its own.

    The thread runs inside the `with` block. `on_unsaved` hears, once, that saving failed; it is
    tried again at every flush and at the end.
    """

    def __init__(
        self,
        store: ConversationStore,
        answer: Message,
        on_unsaved: Callable[[StorageError], None],
    ) -> None:
        self._store = store
        self._answer = answer
        self._on_unsaved = on_unsaved
        self._lock = threading.Lock()
        self._text = [answer.text] if answer.text else []
        self._reasoning = [answer.reasoning] if answer.reasoning else []
        self._reasoning_seconds = answer.reasoning_seconds
        self._thinking_since: float | None = None
        self._logprobs: list[TokenLogprob] = []
        self._dirty = False
        self._told = False
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._flush_by_time, name="answer recorder", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def add_text(self, text: str) -> None:
        with self._lock:
            self._end_thought()
            self._text.append(text)
            self._dirty = True

    def add_reasoning(self, text: str) -> None:
        with self._lock:
            if self._thinking_since is None:
                self._thinking_since = time.monotonic()
            self._reasoning.append(text)
            self._dirty = True

    def add_logprobs(self, tokens: Sequence[TokenLogprob]) -> None:
        """They are saved at the end, with the rest."""
        self._logprobs += tokens

    def finish(
        self, *, status: Status, problem: str, notice: str, origin: Origin | None
    ) -> tuple[Message, StorageError | None]:
        """Save the whole answer. Where that fails it is returned all the same, with the reason."""
        with self._lock:
            self._end_thought()
            text, reasoning = "".join(self._text), "".join(self._reasoning)
            seconds = self._reasoning_seconds
        try:
            saved = self._store.finish(
                self._answer.id,
                text=text,
                reasoning=reasoning,
                reasoning_seconds=seconds,
                status=status,
                problem=problem,
                notice=notice,
                origin=origin,
                logprobs=self._all_logprobs(),
            )
            return saved, None
        except StorageError as error:
            unsaved = msgspec.structs.replace(
                self._answer,
                text=text,
                reasoning=reasoning,
                reasoning_seconds=seconds,
                status=status,
                problem=problem,
                notice=notice,
                origin=origin,
            )
            return unsaved, error

    def _all_logprobs(self) -> tuple[TokenLogprob, ...]:
        """With those of what this answer continues."""
        if not self._logprobs or not (self._answer.text or self._answer.reasoning):
            return tuple(self._logprobs)
        return (*self._store.logprobs(self._answer.id), *self._logprobs)

    def _end_thought(self) -> None:
        if self._thinking_since is not None:
            self._reasoning_seconds += time.monotonic() - self._thinking_since
            self._thinking_since = None

    def _flush_by_time(self) -> None:
        while not self._ended.wait(_FLUSH_SECONDS):
            try:
                self._flush()
            except StorageError as error:
                if not self._told:
                    self._told = True
                    self._on_unsaved(error)

    def _flush(self) -> None:
        with self._lock:
            if not self._dirty:
                return
            self._dirty = False
            text, reasoning = "".join(self._text), "".join(self._reasoning)
            seconds = self._reasoning_seconds
            if self._thinking_since is not None:
                seconds += time.monotonic() - self._thinking_since
        try:
            self._store.stream_into(
                self._answer.id, text=text, reasoning=reasoning, reasoning_seconds=seconds
            )
        except StorageError:
            with self._lock:
                self._dirty = True
            raise
