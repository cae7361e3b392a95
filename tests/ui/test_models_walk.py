"""From Discover over a download to a chat, in the whole window, with a Hub on this computer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QWidget
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths_under
from app.settings_file import SettingsFile
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_model
from ui.background import Background
from ui.chat.answer_item import AnswerItem
from ui.chat.chat_page import ChatPage
from ui.chat.composer_field import ComposerField
from ui.kit import RailButton, SearchField, Toast
from ui.main_window import MainWindow
from ui.models.detail_panel import DetailPanel
from ui.models.discover_page import DiscoverPage
from ui.theme import Theme

REPO = "tiny-lab/polite-GGUF"
WAIT_MS = 30_000


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    model = write_model(tmp_path / "polite-F32.gguf", says=("Good", " morning", "."))
    with HubServer() as hub:
        hub.add(REPO, {model.name: model})
        yield hub


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, paths: Paths, hub: HubServer) -> Iterator[MainWindow]:
    settings = SettingsFile(paths.settings_file)
    settings.update(hub_endpoint=hub.url, adopt_places=False)
    background = Background()
    window = MainWindow(theme, background, paths, settings)
    window.resize(1280, 800)
    window.show()
    qtbot.waitUntil(lambda: window.is_ready, timeout=WAIT_MS)
    with qtbot.waitActive(window):
        window.activateWindow()
    yield window
    window.hide()
    window.stop_work()
    assert background.finish(10_000)
    window.close_services()
    window.deleteLater()
    background.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def button(parent: QWidget, name: str) -> QAbstractButton | None:
    return next(
        (
            found
            for found in parent.findChildren(QAbstractButton)
            if found.isVisible() and found.accessibleName().startswith(name)
        ),
        None,
    )


def is_listed(page: QWidget, name: str) -> bool:
    """Whether a list that can be seen has a row of that name."""
    for view in page.findChildren(QAbstractItemView):
        model = view.model()
        if view.isVisible() and model is not None:
            texts = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
            if any(name in text for text in texts):
                return True
    return False


def test_a_person_finds_fetches_and_chats(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    next(b for b in window.findChildren(RailButton) if b.accessibleName() == "Models").click()
    discover = window.findChildren(DiscoverPage)[0]
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    field = discover.findChildren(SearchField)[0]
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "polite")
    qtbot.waitUntil(lambda: is_listed(discover, "polite-GGUF"), timeout=WAIT_MS)
    QTest.keyClick(field, Qt.Key.Key_Down)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    panel = window.findChildren(DetailPanel)[0]
    qtbot.waitUntil(lambda: button(panel, "Download") is not None, timeout=WAIT_MS)
    fetch = button(panel, "Download")
    assert fetch is not None
    qtbot.waitUntil(fetch.isEnabled)
    fetch.click()
    toast = window.findChildren(Toast)[0]
    qtbot.waitUntil(lambda: toast.isVisible(), timeout=WAIT_MS)
    assert toast.accessibleName().endswith("is ready.")
    fetched = paths.models_folder / "tiny-lab" / "polite-GGUF" / "polite-F32.gguf"
    assert fetched.is_file()

    toast.act()
    assert isinstance(window._stack.currentWidget(), ChatPage)
    composer = window.findChildren(ComposerField)[0]
    qtbot.waitUntil(lambda: not composer.isReadOnly(), timeout=WAIT_MS)
    QTest.keyClicks(composer, "Hello")
    QTest.keyClick(composer, Qt.Key.Key_Return)
    transcript = window.findChildren(ChatPage)[0]._layout.transcript

    def answered() -> bool:
        answers = [item for item in transcript.items if isinstance(item, AnswerItem)]
        return bool(answers) and not answers[0].streaming

    qtbot.waitUntil(answered, timeout=WAIT_MS)
    answer = next(item for item in transcript.items if isinstance(item, AnswerItem))
    assert answer.written.strip() == "Good morning."
