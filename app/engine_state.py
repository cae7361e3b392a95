"""How it stands with the model in memory, and who is told of that."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from app.errors import Problem, problem_from
from backends.errors import EngineCrashed
from backends.protocol import SessionInfo

Phase = Literal["unloaded", "loading", "ready", "busy", "crashed"]


class EngineState(msgspec.Struct, frozen=True):
    """The model in memory. `fraction` is of the load; `problem` says why the last load or answer failed.

    `borrowed` says that another process of this home has the model in its memory.
    """

    model_id: str
    phase: Phase
    fraction: float = 0.0
    info: SessionInfo | None = None
    problem: Problem | None = None
    borrowed: bool = False


Listener = Callable[[EngineState], None]


class EngineStates:
    """The newest state, from any thread.

    Attributes:
        own: that of this process's own engine.
    """

    def __init__(self) -> None:
        self.own = EngineState("", "unloaded")
        self._newest = self.own
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._borrowers = 0

    @property
    def newest(self) -> EngineState:
        return self._newest

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def publish(self, state: EngineState) -> None:
        """Tell everybody, on this thread, how it stands with this process's own engine."""
        self.own = state
        self._tell(state)

    @contextmanager
    def borrowing(self, model_id: str, info: SessionInfo) -> Iterator[None]:
        """Tell that a borrowed model is busy; afterwards, how it stands with our own, or of its crash."""
        with self._lock:
            self._borrowers += 1
        last: EngineState | None = None
        try:
            self._tell(EngineState(model_id, "busy", info=info, borrowed=True))
            yield
        except EngineCrashed as error:
            last = EngineState(model_id, "crashed", problem=problem_from(error), borrowed=True)
            raise
        finally:
            with self._lock:
                self._borrowers -= 1
                is_over = not self._borrowers
            if is_over or last is not None:
                self._tell(last or self.own)

    def _tell(self, state: EngineState) -> None:
        with self._lock:
            self._newest = state
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(state)
