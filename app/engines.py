"""Which model is in memory: one at a time, shared by all that ask it, and out again when idle."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

import msgspec

from app.engine_line import EngineLine
from app.engine_state import EngineState as EngineState
from app.engine_state import EngineStates, Listener, Phase
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

_CLOSE_SECONDS = 3.0
_MOST_USERS = 1_000

MemoryCheck = Callable[..., str]
OnLoad = Callable[[InstalledModel, LoadOptions, SessionInfo], None]
Borrow = Callable[[str, LoadOptions, Callable[[], bool], Callable[[], None]], Session | None]
"""A session on a model's file that another process has loaded so. None where there is none.

The third says whether the request was given up, the last is called while others come first."""


def _borrow_nothing(
    path: str, options: LoadOptions, given_up: Callable[[], bool], on_wait: Callable[[], None]
) -> None:
    return None


class _Loaded(msgspec.Struct, frozen=True):
    model: InstalledModel
    options: LoadOptions
    session: Session
    info: SessionInfo
    room: int
    """Requests that it answers at once."""

    def serves(self, path: str, options: LoadOptions) -> bool:
        return self.session.alive and str(self.model.path) == path and self.options == options


class Engines:
    """Loads models and hands out their sessions, from any thread.

    One model is in memory at a time. Whoever is inside `use` shares it with the others there, as far
    as its backend answers several at once; who wants another model waits until they have left, and
    those who come later wait behind. What another process has loaded is borrowed from there, and
    waited for there. An idle model is closed after `unload_after()` seconds (0: never), or as `keep` says, by a thread
    that `close` ends. `on_load` is told of each load, on the thread that waits for it.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        *,
        unload_after: Callable[[], float],
        memory_check: MemoryCheck = check_memory,
        on_load: OnLoad | None = None,
        borrow: Borrow | None = None,
    ) -> None:
        self._backends = backends
        self._unload_after = unload_after
        self._memory_check = memory_check
        self._on_load = on_load
        self._borrow = borrow or _borrow_nothing
        self._states = EngineStates()
        self._line = EngineLine()
        self._changed = self._line.changed  # guards what follows
        self._loaded: _Loaded | None = None
        self._coming: tuple[str, LoadOptions] | None = None
        self._borrowed: list[Session] = []
        self._problem: Problem | None = None
        self._idle_since: float | None = None
        self._kept_for: float | None = None
        self._closing = False
        self._watcher: threading.Thread | None = None
        self._load_cancelled = threading.Event()

    @property
    def state(self) -> EngineState:
        return self._states.newest

    @property
    def reclaimable(self) -> int:
        """Bytes that unloading gives back: not the weights, which are mapped and count as free."""
        info = self._states.own.info
        taken = info.allocated if info is not None else None
        return taken.kv_cache + taken.compute if taken is not None else 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change, on the thread that made it; it must not call back.

        Returns what ends the subscription.
        """
        return self._states.subscribe(listener)

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
        """A session on the model, loaded first where no process has it in memory with these options.

        `on_wait` is called again and again while others come first. Raises `LoadCancelled` when
        `cancelled` is set before the session is there, and the errors of the catalogue and backend.
        """

        def given_up() -> bool:
            return self._closing or (cancelled is not None and cancelled.is_set())

        path = str(model.path)
        borrowed: Session | None = None
        if not self._has(path, options):
            borrowed = self._borrow(path, options, given_up, on_wait)
        if borrowed is not None:
            with self._borrowing(borrowed), self._states.borrowing(model.id, borrowed.info):
                yield borrowed
            return
        match self._line.enter(
            lambda: self._room(path, options), given_up=given_up, on_wait=on_wait
        ):
            case None:
                raise LoadCancelled("The answer was cancelled before it began.")
            case False:
                self._load_alone(model, options, on_progress)
        with self._using() as session:
            yield session

    @contextmanager
    def use_if_loaded(
        self,
        path: str,
        options: LoadOptions,
        *,
        given_up: Callable[[], bool],
        on_wait: Callable[[], None],
    ) -> Iterator[Session | None]:
        """Like `use`, but None where the model's file is neither loaded nor being loaded so."""
        entered = self._line.enter(
            lambda: self._room(path, options),
            given_up=lambda: given_up() or self._closing or not self._has(path, options),
            on_wait=on_wait,
        )
        if entered:
            with self._using() as session:
                yield session
            return
        if entered is not None:
            self._line.leave_alone()
        yield None

    def loaded(self, path: str, options: LoadOptions) -> Session | None:
        """The session that this process has on the model's file, for a question beside the answers.

        It keeps nothing in memory, and may end at any time; None where it isn't loaded so.
        """
        with self._changed:
            loaded = self._loaded
            return loaded.session if loaded is not None and loaded.serves(path, options) else None

    def options_of(self, path: str) -> LoadOptions | None:
        """How this process has the model's file in memory, or is loading it; None: not at all."""
        with self._changed:
            if self._coming is not None and self._coming[0] == path:
                return self._coming[1]
            loaded = self._loaded
            if loaded is not None and loaded.session.alive and str(loaded.model.path) == path:
                return loaded.options
            return None

    def keep(self, path: str, seconds: float | None) -> None:
        """How long the model's file stays when it is idle, until it is loaded again; another file's
        model is not touched. Below 0: for ever; None: as long as others.
        """
        with self._changed:
            if self._loaded is not None and str(self._loaded.model.path) == path:
                self._kept_for = seconds
                self._changed.notify_all()

    def wait_until_gone(self, path: str, seconds: float) -> None:
        """Wait until the model's file is not in memory, for so long at most."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._loaded is None or str(self._loaded.model.path) != path, seconds
            )

    @property
    def seconds_left(self) -> float | None:
        """How long the model will be in memory if nobody asks it any more; None: for ever."""
        with self._changed:
            limit = self._limit()
            if limit is None or self._idle_since is None:
                return limit
            return max(0.0, self._idle_since + limit - time.monotonic())

    def cancel_load(self) -> None:
        """Give up the load that is going on, if any."""
        self._load_cancelled.set()

    def unload(self) -> None:
        """Take the model out of memory, after the answers that are being written."""
        self.cancel_load()
        self._line.enter_alone()
        self._drop_alone()

    def close(self) -> None:
        """End the model, even in the midst of an answer, and the idle thread. For the program's end."""
        with self._changed:
            self._closing = True
            borrowed = tuple(self._borrowed)
            self._changed.notify_all()
        self.cancel_load()
        for session in borrowed:
            session.close()
        self._line.wait_until_nobody_is_alone(_CLOSE_SECONDS)
        self._drop()
        if self._watcher is not None:
            self._watcher.join()

    def _has(self, path: str, options: LoadOptions) -> bool:
        """Whether it is loaded so, or about to be."""
        with self._changed:
            return self._coming == (path, options) or self._room(path, options) > 0

    def _room(self, path: str, options: LoadOptions) -> int:
        loaded = self._loaded
        return loaded.room if loaded is not None and loaded.serves(path, options) else 0

    @contextmanager
    def _borrowing(self, session: Session) -> Iterator[None]:
        with self._changed:
            self._borrowed.append(session)
        try:
            with closing(session):
                yield
        finally:
            with self._changed:
                self._borrowed.remove(session)

    @contextmanager
    def _using(self) -> Iterator[Session]:
        """For a user in the line, which sees to it that what is loaded stays."""
        with self._changed:
            loaded = self._loaded
            self._idle_since = None
        if loaded is None:  # the program began to close after the line was left
            if self._line.leave():
                self._line.leave_alone()
            raise LoadCancelled("The program is closing.")
        problem: Problem | None = None
        try:
            self._states.publish(EngineState(loaded.model.id, "busy", info=loaded.info))
            yield loaded.session
        except BackendError as error:
            _note_crash(error)
            problem = problem_from(error)
            raise
        finally:
            self._leave(loaded, problem)

    def _load_alone(
        self, model: InstalledModel, options: LoadOptions, on_progress: LoadProgress
    ) -> None:
        """By whoever is alone in the line, and a user of what was loaded afterwards."""
        self._load_cancelled.clear()
        with self._changed:
            self._coming = (str(model.path), options)
            self._idle_since = None
        try:
            self._load(model, options, on_progress)
        except BaseException as error:
            self._tell_failure(model, error)
            with self._changed:
                self._coming = None
            self._line.leave_alone()
            raise
        with self._changed:
            self._coming = None
        self._line.stay()
        self._start_watcher()

    def _tell_failure(self, model: InstalledModel, error: BaseException) -> None:
        _note_crash(error)
        problem = None if isinstance(error, LoadCancelled) else problem_from(error)
        if self._loaded is not None:  # the new one was refused before the old one had to go
            self._settle(self._loaded, problem)
        else:
            phase: Phase = "crashed" if isinstance(error, EngineCrashed) else "unloaded"
            self._states.publish(EngineState(model.id, phase, problem=problem))

    def _load(self, model: InstalledModel, options: LoadOptions, on_progress: LoadProgress) -> None:
        backend = self._backends.get(FILE_BACKEND)
        if backend is None:
            raise AppError(
                "No engine for model files is installed.",
                fix="Install Causeway again.",
                command="“causeway doctor” says what is missing.",
            )
        freed = self._loaded.info.memory_bytes if self._loaded is not None else 0
        warning = self._memory_check(model, options, freed=freed)
        self._drop()
        self._states.publish(EngineState(model.id, "loading"))

        def go_on(fraction: float) -> bool:
            if int(fraction * 100) != int(self._states.own.fraction * 100):
                self._states.publish(EngineState(model.id, "loading", fraction))
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
        room = _MOST_USERS if backend.capabilities.parallel else 1
        with self._changed:
            self._loaded = _Loaded(model, options, session, info, room)
            self._kept_for = None

    def _leave(self, loaded: _Loaded, problem: Problem | None) -> None:
        """The last one out says how it stands; a problem of an earlier one is not forgotten."""
        with self._changed:
            self._problem = problem or self._problem
            if not self._line.leave():
                return
            problem, self._problem = self._problem, None
        try:
            self._settle(loaded, problem)
        finally:
            self._line.leave_alone()

    def _settle(self, loaded: _Loaded, problem: Problem | None) -> None:
        if loaded.session.alive:
            with self._changed:
                self._idle_since = time.monotonic()
                self._changed.notify_all()
            state = EngineState(loaded.model.id, "ready", info=loaded.info, problem=problem)
        else:
            self._drop()  # without a problem it was ended on purpose, by a stop it did not heed
            phase: Phase = "crashed" if problem else "unloaded"
            state = EngineState(loaded.model.id, phase, problem=problem)
        self._states.publish(state)

    def _drop_alone(self) -> None:
        """By whoever is alone in the line."""
        try:
            self._drop()
            self._states.publish(EngineState("", "unloaded"))
        finally:
            self._line.leave_alone()

    def _drop(self) -> None:
        with self._changed:
            loaded, self._loaded = self._loaded, None
            self._idle_since = None
        if loaded is not None:
            loaded.session.close()

    def _start_watcher(self) -> None:
        with self._changed:
            if self._watcher is None and not self._closing:
                self._watcher = threading.Thread(
                    target=self._unload_when_idle, name="idle models", daemon=True
                )
                self._watcher.start()

    def _unload_when_idle(self) -> None:
        while self._wait_until_idle_long_enough():
            if self._line.slip_in_alone(lambda: self._seconds_left() == 0):
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
        limit = self._limit()
        if self._idle_since is None or limit is None:
            return None
        return min(max(0.0, self._idle_since + limit - time.monotonic()), _LOOK_AGAIN_SECONDS)

    def _limit(self) -> float | None:
        """Seconds that an idle model stays; None: as long as one likes."""
        if self._kept_for is not None:
            return self._kept_for if self._kept_for >= 0 else None
        limit = self._unload_after()
        return limit if limit > 0 else None


def _note_crash(error: BaseException) -> None:
    """A person is told why in a sentence; whoever is to mend it needs the engine's last words."""
    if isinstance(error, EngineCrashed):
        _log.error("%s\n%s", error, error.detail)
