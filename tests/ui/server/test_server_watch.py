"""The server's news on the main thread: in order, and not for every token."""

import threading
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.server.config import ServerState
from app.server.journal import Journal
from ui.server.server_watch import ServerWatch


class ToldServer:
    """The part of a server that is listened to."""

    def __init__(self) -> None:
        self.state = ServerState()
        self.journal = Journal()
        self.listeners: list[Callable[[ServerState], None]] = []

    def subscribe(self, listener: Callable[[ServerState], None]) -> Callable[[], None]:
        self.listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return unsubscribe

    def tell(self, state: ServerState) -> None:
        self.state = state
        for listener in tuple(self.listeners):
            listener(state)


@pytest.fixture
def server() -> ToldServer:
    return ToldServer()


@pytest.fixture
def watch(server: ToldServer, qtbot: QtBot) -> Iterator[ServerWatch]:
    watch = ServerWatch(server)  # type: ignore[arg-type]
    yield watch
    watch.stop()


def on_another_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_states_come_on_the_main_thread(server: ToldServer, watch: ServerWatch, qtbot) -> None:
    seen: list[tuple[str, threading.Thread]] = []
    watch.changed.connect(lambda state: seen.append((state.phase, threading.current_thread())))

    def work() -> None:
        server.tell(ServerState(phase="starting"))
        server.tell(ServerState(phase="on"))

    on_another_thread(work)
    qtbot.waitUntil(lambda: len(seen) == 2)
    main = threading.main_thread()
    assert seen == [("starting", main), ("on", main)]


def test_a_thousand_news_are_told_a_few_times(
    server: ToldServer, watch: ServerWatch, qtbot: QtBot
) -> None:
    told: list[None] = []
    watch.news.connect(lambda: told.append(None))

    def work() -> None:
        for _ in range(1_000):
            server.journal.tell()

    on_another_thread(work)
    qtbot.waitUntil(lambda: bool(told))
    assert len(told) == 1
    on_another_thread(work)
    qtbot.waitUntil(lambda: len(told) == 2)


def test_figures_are_looked_at_again_only_while_somebody_looks_and_it_is_on(
    server: ToldServer, watch: ServerWatch, qtbot: QtBot
) -> None:
    watch.follow(True)
    assert not watch._tick.isActive()
    server.tell(ServerState(phase="on"))
    qtbot.waitUntil(watch._tick.isActive)
    with qtbot.waitSignal(watch.news, timeout=60_000):
        pass
    watch.follow(False)
    assert not watch._tick.isActive()


def test_after_the_end_nothing_is_heard(server: ToldServer, watch: ServerWatch) -> None:
    watch.stop()
    assert not server.listeners
    server.journal.tell()
    assert not watch._soon.isActive()
