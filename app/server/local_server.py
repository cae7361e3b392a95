"""The local server: on while it is wanted, on a thread of its own."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from app.adapters import Adapters
from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.errors import AppError, Problem
from app.formatting import shortened
from app.lookup import Lookup
from app.models import Models
from app.server.access import local_addresses
from app.server.config import (
    EVERY_ADDRESS,
    LOOPBACK_HOSTS,
    SHORTEST_KEY,
    ServerConfig,
    ServerState,
)
from app.server.journal import Journal
from app.sessions import Sessions
from catalog.downloads.queue import DownloadQueue

if TYPE_CHECKING:
    from app.server.serving_thread import ServingThread

_log = logging.getLogger(__name__)

_BACKLOG = 512

Listener = Callable[[ServerState], None]


class LocalServer:
    """Starts and stops the server, from any thread. The libraries that it needs are imported at the
    first start, since most people never start it.

    Attributes:
        journal: the requests of late.
    """

    def __init__(
        self,
        models: Models,
        sessions: Sessions,
        chats: Chats,
        adapters: Adapters,
        engines: Engines,
        store: ConversationStore,
        fetching: tuple[Lookup, DownloadQueue] | None = None,
    ) -> None:
        """`fetching` finds and downloads the models that clients ask for. Without it, they can't ask."""
        self._models = models
        self._sessions = sessions
        self._chats = chats
        self._adapters = adapters
        self._engines = engines
        self._store = store
        self._fetching = fetching
        self._lock = threading.Lock()  # of starting and stopping
        self._listeners: list[Listener] = []
        self._state = ServerState()
        self._thread: ServingThread | None = None
        self.journal = Journal()

    @property
    def state(self) -> ServerState:
        return self._state

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change, on the thread that made it. Returns what ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def start(self, config: ServerConfig) -> ServerState:
        """Returns when it can be reached. Raises `AppError`; a server that is on goes on."""
        with self._lock:
            if self._thread is not None and self._state.phase == "on":
                return self._state
            if self._thread is not None:  # it has ended by itself
                self._thread.stop(0)
                self._thread = None
            self._tell(ServerState(phase="starting"))
            try:
                listening = _listening(config)
                try:
                    self._thread = self._begin(config, listening)
                except BaseException:
                    listening.close()
                    raise
            except AppError as error:
                problem = Problem(error.what, error.why, error.fix)
                self._tell(ServerState(phase="failed", problem=problem))
                raise
            except BaseException:
                self._tell(ServerState(phase="failed"))
                raise
            port = listening.getsockname()[1]
            self._tell(ServerState(phase="on", addresses=_addresses(config.host, port)))
            _log.info("the server is on, port %d", port)
            return self._state

    def stop(self, patience_seconds: float = 5.0) -> None:
        """Take no more requests, let answers end for so long, cancel the rest. Blocks until it is off."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._tell(msgspec.structs.replace(self._state, phase="stopping"))
            try:
                thread.stop(patience_seconds)
            finally:
                self._tell(ServerState())
                _log.info("the server is off")

    def _begin(self, config: ServerConfig, listening: socket.socket) -> "ServingThread":
        from app.server.answering import Answering
        from app.server.keeping import Keeping
        from app.server.serving_thread import ServingThread

        self.journal.shows_text = config.show_text
        answering = Answering(
            self._models,
            self._sessions,
            self._chats,
            self._adapters,
            self._engines,
            config,
            Keeping(self._store) if config.keep_chats else None,
            self._fetching,
        )
        thread = ServingThread(answering, self.journal, config, listening, self._died)
        thread.start()
        return thread

    def _died(self, error: BaseException) -> None:
        """On the server's thread, which ends of a bug."""
        _log.error("the server has ended by itself", exc_info=error)
        problem = Problem("The server has ended by itself.", "Its log says why.", "Start it again.")
        self._tell(ServerState(phase="failed", problem=problem))

    def _tell(self, state: ServerState) -> None:
        self._state = state
        for listener in tuple(self._listeners):
            listener(state)


def _listening(config: ServerConfig) -> socket.socket:
    """A socket that takes connections from now on. Raises `AppError`."""
    if config.host not in LOOPBACK_HOSTS:
        _check_key(config.key)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # With the protocol said, the event loop switches off that TCP collects small pieces (40 ms each).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: or another program could share it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # elsewhere it only lets a server start again at once
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.host, config.port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError, UnicodeError, TypeError) as error:  # the last two of a name
        listening.close()
        raise _refusal(config, error) from None
    return listening


def _check_key(key: str) -> None:
    """Other computers can try one key after the other. Raises `AppError`."""
    what = "The server was not started."
    if not key:
        raise AppError(
            what,
            "Other computers could reach it, and there is no key to keep strangers out.",
            "Let it ask for a key, or keep it to this computer.",
        )
    if len(key) < SHORTEST_KEY:
        raise AppError(
            what,
            f"Other computers could reach it, and its key is too short: {len(key)} of at least"
            f" {SHORTEST_KEY} characters.",
            "Give a longer one in CAUSEWAY_SERVER_KEY, or leave that out: Causeway makes a key.",
        )


def _refusal(config: ServerConfig, error: Exception) -> AppError:
    import errno

    what = "The server was not started."
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        return AppError(
            what,
            f"Another program uses port {config.port} already.",
            "End that program, or choose another port.",
        )
    if number in (errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", None)):
        return AppError(
            what,
            f"This system doesn't let Causeway use port {config.port}.",
            "Choose a port above 1023.",
        )
    is_no_name = isinstance(error, socket.gaierror | UnicodeError | TypeError)
    if is_no_name or number in (errno.EADDRNOTAVAIL, getattr(errno, "WSAEADDRNOTAVAIL", None)):
        host = shortened(config.host)
        return AppError(what, f"This computer has no address {host}.", "Choose another address.")
    return AppError(what, f"{error}.", "Choose another port.")


def _addresses(host: str, port: int) -> tuple[str, ...]:
    if host == EVERY_ADDRESS:
        hosts: tuple[str, ...] = ("127.0.0.1", *local_addresses())
    else:
        hosts = (f"[{host}]" if ":" in host else host,)
    return tuple(f"http://{each}:{port}" for each in hosts)
