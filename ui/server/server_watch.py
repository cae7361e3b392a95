"""The local server's state as a signal: it is told on whatever thread something happens."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.server.config import ServerState

if TYPE_CHECKING:
    from app.server.local_server import LocalServer

_NEWS_MS = 100
_TICK_MS = 500
_LATER_MS = 1000


class ServerWatch(QObject):
    """Hands states and news of requests to the main thread, the latter ten times a second at most.

    Signals:
        changed: a `ServerState`.
        news: requests came, went or moved on; also now and then while the server is on and `follow`ed,
            since tokens are not told of.
        settled: a second after news of requests, once for all that came meanwhile.
    """

    changed = Signal(object)
    news = Signal()
    settled = Signal()
    _told_state = Signal(object)
    _told_news = Signal()

    def __init__(self, server: "LocalServer", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = server
        self._news_waits = False
        self._follows = False
        self._soon = QTimer(self, singleShot=True, interval=_NEWS_MS)
        self._soon.timeout.connect(self._tell_news)
        self._later = QTimer(self, singleShot=True, interval=_LATER_MS)
        self._later.timeout.connect(self.settled)
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self.news)
        queued = Qt.ConnectionType.QueuedConnection
        self._told_state.connect(self._take_state, queued)
        self._told_news.connect(self._soon.start, queued)
        self._unsubscribes = (
            server.subscribe(self._told_state.emit),
            server.journal.subscribe(self._hear_news),
        )

    @property
    def state(self) -> ServerState:
        return self._server.state

    def follow(self, follows: bool) -> None:
        """Whether somebody looks at the figures."""
        self._follows = follows
        self._arrange()

    def stop(self) -> None:
        """Listen no longer."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        for timer in (self._soon, self._later, self._tick):
            timer.stop()

    def _hear_news(self) -> None:
        """On any thread: one signal is enough until it has been heard."""
        if not self._news_waits:
            self._news_waits = True
            self._told_news.emit()

    def _tell_news(self) -> None:
        self._news_waits = False
        if not self._later.isActive():
            self._later.start()
        self.news.emit()

    def _take_state(self, state: ServerState) -> None:
        self._arrange()
        self.changed.emit(state)

    def _arrange(self) -> None:
        if self._follows and self._server.state.phase == "on":
            self._tick.start()
        else:
            self._tick.stop()
