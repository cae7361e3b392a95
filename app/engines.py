"""Which model is in memory: one at a time, one answer at a time, and out again when idle."""

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

_SLOT_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 3.0

Phase = Literal["unloaded", "loading", "ready", "busy", "crashed"]
MemoryCheck = Callable[..., str]
OnLoad = Callable[[InstalledModel, SessionInfo], None]


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

    def serves(self, model: InstalledModel, options: LoadOptions) -> bool:
        return self.session.alive and self.model.path == model.path and self.options == options


class Engines:
    """Loads models and hands out their sessions, from any thread.

    Whoever is inside `use` holds the only compute slot of the program; others wait. An idle model
    is closed after `unload_after()` seconds (0: never), by a thread that `close` ends. `on_load` is
    told of each load, on the thread that waits for it.
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
        self._slot = threading.Lock()
        self._loaded: _Loaded | None = None  # changed only by the holder of the slot
        self._changed = threading.Condition()  # guards what follows
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

        `on_wait` is called again and again while another answer comes first. Raises
        `LoadCancelled` when `cancelled` is set before the session is there, and the errors of the
        catalogue and backend.
        """
        self._take_slot(cancelled or threading.Event(), on_wait)
        try:
            with self._changed:
                self._idle_since = None
            loaded = self._ready(model, options, on_progress)
            self._publish(EngineState(model.id, "busy", info=loaded.info))
            problem: Problem | None = None
            try:
                yield loaded.session
            except BackendError as error:
                _note_crash(error)
                problem = problem_from(error)
                raise
            finally:
                self._settle(loaded, problem)
        finally:
            self._slot.release()

    def cancel_load(self) -> None:
        """Give up the load that is going on, if any."""
        self._load_cancelled.set()

    def unload(self) -> None:
        """Take the model out of memory, after the answer that is being written."""
        self.cancel_load()
        with self._slot:
            self._drop()
            self._publish(EngineState("", "unloaded"))

    def close(self) -> None:
        """End the model, even in the midst of an answer, and the idle thread. For the program's end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.cancel_load()
        held = self._slot.acquire(timeout=_CLOSE_SECONDS)
        try:
            self._drop()
        finally:
            if held:
                self._slot.release()
        if self._watcher is not None:
            self._watcher.join()

    def _take_slot(self, cancelled: threading.Event, on_wait: Callable[[], None]) -> None:
        while not self._slot.acquire(timeout=_SLOT_POLL_SECONDS):
            on_wait()
            if cancelled.is_set() or self._closing:
                raise LoadCancelled("The answer was cancelled before it began.")
        if cancelled.is_set() or self._closing:
            self._slot.release()
            raise LoadCancelled("The answer was cancelled before it began.")

    def _ready(
        self, model: InstalledModel, options: LoadOptions, on_progress: LoadProgress
    ) -> _Loaded:
        if self._loaded is not None and self._loaded.serves(model, options):
            return self._loaded
        self._load_cancelled.clear()
        try:
            self._loaded = self._load(model, options, on_progress)
        except Exception as error:
            _note_crash(error)
            problem = None if isinstance(error, LoadCancelled) else problem_from(error)
            if self._loaded is not None:  # the new one was refused before the old one had to go
                self._settle(self._loaded, problem)
            else:
                phase: Phase = "crashed" if isinstance(error, EngineCrashed) else "unloaded"
                self._publish(EngineState(model.id, phase, problem=problem))
            raise
        self._start_watcher()
        return self._loaded

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
            self._on_load(model, session.info)
        warnings = ((warning,) if warning else ()) + session.info.warnings
        info = msgspec.structs.replace(session.info, warnings=warnings)
        return _Loaded(model, options, session, info)

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

    def _drop(self) -> None:
        loaded, self._loaded = self._loaded, None
        with self._changed:
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
            if not self._slot.acquire(blocking=False):
                continue  # an answer has just begun
            try:
                if self._seconds_left() == 0:
                    self._drop()
                    self._publish(EngineState("", "unloaded"))
            finally:
                self._slot.release()

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
