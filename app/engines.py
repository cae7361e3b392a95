"""Which model is in memory: one at a time, shared by all that ask it, and out again when idle."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import msgspec

from app.errors import AppError, Problem, problem_from
from app.memory import check_memory
from backends.errors import BackendError, EngineCrashed, LoadCancelled
from backends.protocol import Backend, LoadOptions, LoadProgress, Session, SessionInfo
from catalog.library import InstalledModel

_log = logging.getLogger(__name__)

FILE_BACKEND = "llama_cpp"
"""The backend that runs model files."""

_LOOK_AGAIN_SECONDS = 30.0
"""How soon a change of the unload setting is noticed."""

_WAIT_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 3.0

Phase = Literal["unloaded", "loading", "ready", "busy", "crashed"]
MemoryCheck = Callable[..., str]
OnLoad = Callable[[InstalledModel, LoadOptions, SessionInfo], None]


class EngineState(msgspec.Struct, frozen=True):
    """The model in memory. `fraction` is of the load; `problem` says why the last load or answer failed."""

    model_id: str
    phase: Phase
    fraction: float = 0.0
    info: SessionInfo | None = None
    problem: Problem | None = None


Listener = Callable[[EngineState], None]


class _Loaded(msgspec.Struct, frozen=True):
    model: InstalledModel
    options: LoadOptions
    session: Session
    info: SessionInfo
    shares: bool
    """Whether it answers several requests at once."""

    def serves(self, model: InstalledModel, options: LoadOptions) -> bool:
        return self.session.alive and self.model.path == model.path and self.options == options


class _Ticket:
    """Somebody's place in the line for the engine."""


class Engines:
    """Loads models and hands out their sessions, from any thread.

    One model is in memory at a time. Whoever is inside `use` shares it with the others there, as far
    as its backend answers several at once; who wants another model waits until they have left, and
    those who come later wait behind. An idle model is closed after `unload_after()` seconds (0:
    never), by a thread that `close` ends. `on_load` is told of each load, on the thread that waits
    for it.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        *,
        unload_after: Callable[[], float],
        memory_check: MemoryCheck = check_memory,
        on_load: OnLoad | None = None,
    ) -> None:
        self._backends = backends
        self._unload_after = unload_after
        self._memory_check = memory_check
        self._on_load = on_load
        self._changed = threading.Condition()  # guards what follows
        self._line: list[_Ticket] = []
        self._users = 0
        self._alone = False  # somebody loads or unloads; only they change what is loaded
        self._loaded: _Loaded | None = None
        self._problem: Problem | None = None
        self._state = EngineState("", "unloaded")
        self._listeners: list[Listener] = []
        self._idle_since: float | None = None
        self._closing = False
        self._watcher: threading.Thread | None = None
        self._load_cancelled = threading.Event()

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def reclaimable(self) -> int:
        """Bytes that unloading gives back: not the weights, which are mapped and count as free."""
        info = self._state.info
        taken = info.allocated if info is not None else None
        return taken.kv_cache + taken.compute if taken is not None else 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change, on the thread that made it; it must not call back.

        Returns what ends the subscription.
        """
        with self._changed:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    @contextmanager
    def use(
        self,
        model: InstalledModel,
        options: LoadOptions,
        on_progress: LoadProgress,
        *,
        cancelled: threading.Event | None = None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> Iterator[Session]:
        """A session on the model, loaded first where it is not in memory with these options.

        `on_wait` is called again and again while others come first. Raises `LoadCancelled` when
        `cancelled` is set before the session is there, and the errors of the catalogue and backend.
        """
        loaded = self._enter(model, options, cancelled or threading.Event(), on_wait)
        if loaded is None:
            loaded = self._load_alone(model, options, on_progress)
        problem: Problem | None = None
        try:
            self._publish(EngineState(loaded.model.id, "busy", info=loaded.info))
            yield loaded.session
        except BackendError as error:
            _note_crash(error)
            problem = problem_from(error)
            raise
        finally:
            self._leave(loaded, problem)

    def cancel_load(self) -> None:
        """Give up the load that is going on, if any."""
        self._load_cancelled.set()

    def unload(self) -> None:
        """Take the model out of memory, after the answers that are being written."""
        self.cancel_load()
        with self._changed:
            ticket = self._join_line()
            try:
                self._changed.wait_for(lambda: self._is_free(ticket))
                self._alone = True
            finally:
                self._line.remove(ticket)
        self._drop_alone()

    def close(self) -> None:
        """End the model, even in the midst of an answer, and the idle thread. For the program's end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.cancel_load()
        with self._changed:
            self._changed.wait_for(lambda: not self._alone, _CLOSE_SECONDS)
        self._drop()
        if self._watcher is not None:
            self._watcher.join()

    def _enter(
        self,
        model: InstalledModel,
        options: LoadOptions,
        cancelled: threading.Event,
        on_wait: Callable[[], None],
    ) -> _Loaded | None:
        """Wait until this request's turn; None where it has to load, and is alone for that."""
        with self._changed:
            ticket = self._join_line()
        try:
            while True:
                with self._changed:
                    if cancelled.is_set() or self._closing:
                        raise LoadCancelled("The answer was cancelled before it began.")
                    loaded = self._loaded
                    if self._may_share(ticket, model, options):
                        self._users += 1
                        self._idle_since = None
                        return loaded
                    if self._is_free(ticket):
                        if loaded is None or not loaded.serves(model, options):
                            self._alone = True
                            loaded = None
                        else:
                            self._users += 1
                        self._idle_since = None
                        return loaded
                    is_news = self._changed.wait(_WAIT_POLL_SECONDS)
                if not is_news:
                    on_wait()
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _join_line(self) -> _Ticket:
        ticket = _Ticket()
        self._line.append(ticket)
        return ticket

    def _is_free(self, ticket: _Ticket) -> bool:
        return self._line[0] is ticket and not self._users and not self._alone

    def _may_share(self, ticket: _Ticket, model: InstalledModel, options: LoadOptions) -> bool:
        loaded = self._loaded
        return (
            self._line[0] is ticket
            and not self._alone
            and loaded is not None
            and loaded.shares
            and loaded.serves(model, options)
        )

    def _load_alone(
        self, model: InstalledModel, options: LoadOptions, on_progress: LoadProgress
    ) -> _Loaded:
        self._load_cancelled.clear()
        users = 0
        try:
            loaded = self._load(model, options, on_progress)
            users = 1
        except Exception as error:
            _note_crash(error)
            problem = None if isinstance(error, LoadCancelled) else problem_from(error)
            if self._loaded is not None:  # the new one was refused before the old one had to go
                self._settle(self._loaded, problem)
            else:
                phase: Phase = "crashed" if isinstance(error, EngineCrashed) else "unloaded"
                self._publish(EngineState(model.id, phase, problem=problem))
            raise
        finally:
            with self._changed:
                self._users += users
                self._alone = False
                self._changed.notify_all()
        self._start_watcher()
        return loaded

    def _load(
        self, model: InstalledModel, options: LoadOptions, on_progress: LoadProgress
    ) -> _Loaded:
        backend = self._backends.get(FILE_BACKEND)
        if backend is None:
            raise AppError(
                "No engine for model files is installed.",
                fix="“causeway doctor” says what is wrong with it.",
            )
        freed = self._loaded.info.memory_bytes if self._loaded is not None else 0
        warning = self._memory_check(model, options, freed=freed)
        self._drop()
        self._publish(EngineState(model.id, "loading"))

        def go_on(fraction: float) -> bool:
            if int(fraction * 100) != int(self._state.fraction * 100):
                self._publish(EngineState(model.id, "loading", fraction))
            wanted = on_progress(fraction)
            return wanted and not self._load_cancelled.is_set() and not self._closing

        session = backend.open(str(model.path), options, go_on)
        if self._closing:
            session.close()
            raise LoadCancelled("The program is closing.")
        _log.info(
            "loaded %s in %.1f s, %s", model.id, session.info.load_ms / 1000, session.info.device
        )
        if self._on_load is not None:
            self._on_load(model, options, session.info)
        warnings = ((warning,) if warning else ()) + session.info.warnings
        info = msgspec.structs.replace(session.info, warnings=warnings)
        loaded = _Loaded(model, options, session, info, shares=backend.capabilities.parallel)
        with self._changed:
            self._loaded = loaded
        return loaded

    def _leave(self, loaded: _Loaded, problem: Problem | None) -> None:
        """The last one out says how it stands; a problem of an earlier one is not forgotten."""
        with self._changed:
            self._users -= 1
            self._problem = problem or self._problem
            if self._users:
                self._changed.notify_all()
                return
            self._alone = True
            problem, self._problem = self._problem, None
        try:
            self._settle(loaded, problem)
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()

    def _settle(self, loaded: _Loaded, problem: Problem | None) -> None:
        if loaded.session.alive:
            with self._changed:
                self._idle_since = time.monotonic()
                self._changed.notify_all()
            self._publish(EngineState(loaded.model.id, "ready", info=loaded.info, problem=problem))
        else:
            self._drop()  # without a problem it was ended on purpose, by a stop it did not heed
            phase: Phase = "crashed" if problem else "unloaded"
            self._publish(EngineState(loaded.model.id, phase, problem=problem))

    def _drop_alone(self) -> None:
        """By whoever has seen to it that nobody else is here."""
        try:
            self._drop()
            self._publish(EngineState("", "unloaded"))
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()

    def _drop(self) -> None:
        with self._changed:
            loaded, self._loaded = self._loaded, None
            self._idle_since = None
        if loaded is not None:
            loaded.session.close()

    def _publish(self, state: EngineState) -> None:
        with self._changed:
            self._state = state
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(state)

    def _start_watcher(self) -> None:
        with self._changed:
            if self._watcher is None and not self._closing:
                self._watcher = threading.Thread(
                    target=self._unload_when_idle, name="idle models", daemon=True
                )
                self._watcher.start()

    def _unload_when_idle(self) -> None:
        while self._wait_until_idle_long_enough():
            with self._changed:
                if self._line or self._users or self._alone or self._seconds_left() != 0:
                    continue  # an answer has just begun
                self._alone = True
            self._drop_alone()

    def _wait_until_idle_long_enough(self) -> bool:
        """False when the program closes."""
        with self._changed:
            while not self._closing:
                left = self._seconds_left()
                if left == 0:
                    return True
                self._changed.wait(_LOOK_AGAIN_SECONDS if left is None else left)
            return False

    def _seconds_left(self) -> float | None:
        """Seconds until the model may go; None if it is in use, or stays as long as one likes."""
        limit = self._unload_after()
        if self._idle_since is None or limit <= 0:
            return None
        return min(max(0.0, self._idle_since + limit - time.monotonic()), _LOOK_AGAIN_SECONDS)


def _note_crash(error: Exception) -> None:
    """A person is told why in a sentence; whoever is to mend it needs the engine's last words."""
    if isinstance(error, EngineCrashed):
        _log.error("%s\n%s", error, error.detail)
