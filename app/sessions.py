"""A session on any model: a file's through the engines, an offered one's through its own backend."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from app.engines import FILE_BACKEND, Engines
from app.errors import AppError
from app.models import ChatModel, OfferedModel
from backends.errors import LoadCancelled
from backends.protocol import Backend, Capabilities, LoadOptions, LoadProgress, Session
from catalog.library import InstalledModel

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_MOST_OPEN = 8
"""Sessions of services and plug-ins that are kept open for the next request."""


class Sessions:
    """Hands out sessions, from any thread. Models for vectors have engines of their own, so that a
    search and a chat don't put each other out of memory.
    """

    def __init__(
        self,
        engines: Engines,
        embedders: Engines,
        file_capabilities: Capabilities,
        backends: Callable[[], Mapping[str, Backend]],
        offline: Callable[[], bool],
    ) -> None:
        """`backends` are those that offer models by themselves, by name, at this moment. While
        `offline`, nothing leaves this computer.
        """
        self._engines = engines
        self._embedders = embedders
        self._file_capabilities = file_capabilities
        self._backends = backends
        self._offline = offline
        self._changed = threading.Condition()  # guards what follows
        self._open: dict[_Key, _Open] = {}
        self._opening: set[_Key] = set()
        self._closing = False

    def capabilities(self, model: ChatModel) -> Capabilities:
        """What the model's backend can do. Raises `AppError` where it is gone."""
        if isinstance(model, InstalledModel):
            return self._file_capabilities
        return self._backend_of(model).capabilities

    @contextmanager
    def use(
        self,
        model: ChatModel,
        options: LoadOptions,
        on_progress: LoadProgress,
        *,
        cancelled: threading.Event | None = None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> Iterator[Session]:
        """As `Engines.use`, for a model of any kind."""
        if isinstance(model, InstalledModel):
            engines = self._embedders if options.embedding else self._engines
            with engines.use(
                model, options, on_progress, cancelled=cancelled, on_wait=on_wait
            ) as session:
                yield session
            return
        if model.leaves and self._offline():
            raise AppError(
                "Causeway is set to stay offline.",
                f"What is written to {model.name} would leave this computer, for {model.source}.",
                "Choose a model on this computer, or switch “Stay offline” off in the settings.",
            )
        opened = self._take(model, options, on_progress, cancelled, on_wait)
        try:
            yield opened.session
        finally:
            self._give_back(opened)

    def keep(self, model: InstalledModel, seconds: float | None) -> None:
        """As `Engines.keep`, wherever it is in memory."""
        for engines in (self._engines, self._embedders):
            engines.keep(str(model.path), seconds)

    def wait_until_gone(self, model: InstalledModel, seconds: float) -> None:
        """As `Engines.wait_until_gone`."""
        for engines in (self._engines, self._embedders):
            engines.wait_until_gone(str(model.path), seconds)

    def close(self) -> None:
        """End what services and plug-ins are answering. The engines have owners of their own."""
        with self._changed:
            self._closing = True
            closing = list(self._open.values())
            self._open.clear()
            self._changed.notify_all()
        for opened in closing:
            opened.close()

    def _backend_of(self, model: OfferedModel) -> Backend:
        backend = self._backends().get(model.backend)
        if backend is None:
            raise AppError(
                f"{model.source} is no longer there.",
                f"It was to answer as {model.name}.",
                "Choose another model.",
            )
        return backend

    def _take(
        self,
        model: OfferedModel,
        options: LoadOptions,
        on_progress: LoadProgress,
        cancelled: threading.Event | None,
        on_wait: Callable[[], None],
    ) -> "_Open":
        """An open session with room for one more; opened by the first who wants it."""
        backend = self._backend_of(model)
        key = (id(backend), model.model, options)
        dead: _Open | None = None
        while True:
            with self._changed:
                if self._is_over() or (cancelled is not None and cancelled.is_set()):
                    raise LoadCancelled("The answer was cancelled before it began.")
                opened = self._open.get(key)
                if opened is not None and not opened.session.alive:
                    dead, opened = self._open.pop(key), None
                if opened is not None and opened.takes_more:
                    opened.users += 1
                    return opened
                if opened is None and key not in self._opening:
                    self._opening.add(key)
                    break
                self._changed.wait(_LOOK_SECONDS)
            on_wait()
        try:
            if dead is not None:  # also where others still use it: it answers nobody any more
                dead.close()
            self._close_idle()
            session = backend.open(model.model, options, on_progress)
        except BaseException:
            with self._changed:
                self._opening.discard(key)
                self._changed.notify_all()
            raise
        opened = _Open(key, backend, session)
        with self._changed:
            self._opening.discard(key)
            over = self._is_over()
            if not over:
                self._open[key] = opened
            self._changed.notify_all()
        if over:
            opened.close()
            raise LoadCancelled("The program is closing.")
        return opened

    def _is_over(self) -> bool:
        return self._closing

    def _give_back(self, opened: "_Open") -> None:
        with self._changed:
            opened.users -= 1
            is_over = (
                not opened.users
                and not opened.session.alive
                and self._open.get(opened.key) is opened
            )
            if is_over:
                del self._open[opened.key]
            self._changed.notify_all()
        if is_over:  # nobody may ever ask it again, and its process or connections would stay
            opened.close()

    def _close_idle(self) -> None:
        """Before another is opened: of a plug-in that computes here, one session is enough; of all
        together, a few.
        """
        with self._changed:
            idle = [key for key, opened in self._open.items() if opened.users == 0]
            surplus = [key for key in idle if self._open[key].backend.capabilities.local]
            surplus += idle[: max(0, len(self._open) - _MOST_OPEN)]
            closing = [self._open.pop(key) for key in dict.fromkeys(surplus)]
        for opened in closing:
            opened.close()


_Key = tuple[int, str, LoadOptions]


class _Open:
    """An open session and how many use it. Whoever takes it out of `Sessions._open` closes it."""

    def __init__(self, key: _Key, backend: Backend, session: Session) -> None:
        self.key = key
        self.backend = backend  # held, so that its identity stays its own
        self.session = session
        self.users = 1

    @property
    def takes_more(self) -> bool:
        return self.backend.capabilities.parallel or self.users == 0

    def close(self) -> None:
        """A plug-in that fails at this keeps nobody from the next session."""
        try:
            self.session.close()
        except Exception:
            _log.exception("a session of %s could not be closed", self.backend.name)


def file_capabilities(backends: Mapping[str, Backend]) -> Capabilities:
    """What the engine for model files can do; nothing where it is missing."""
    backend = backends.get(FILE_BACKEND)
    return backend.capabilities if backend is not None else Capabilities(chat=False)
