"""From Discover over a download to a chat, in the whole window, with a Hub on this computer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QWidget
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths_under
from app.settings_file import SettingsFile
from catalog.catalogues.entries import HubFile
from catalog.downloads.wanted import DownloadRequest, WantedFile
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_model
from tests.ui.whole_window import whole_window
from ui.chat.answer_item import AnswerItem
from ui.chat.chat_page import ChatPage
from ui.chat.composer_field import ComposerField
from ui.kit import NavItem, RailButton, SearchField, TextArea, TextField, Toast
from ui.main_window import MainWindow
from ui.models.detail_panel import DetailPanel
from ui.models.discover_page import DiscoverPage
from ui.models.download_row import DownloadRow
from ui.theme import Theme

REPO = "tiny-lab/polite-GGUF"
WAIT_MS = 60_000


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
    with whole_window(theme, paths, settings) as window:
        qtbot.waitUntil(lambda: window.is_ready, timeout=WAIT_MS)
        with qtbot.waitActive(window):
            window.activateWindow()
        yield window


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


def go_to(window: MainWindow, place: str) -> None:
    next(b for b in window.findChildren(RailButton) if b.accessibleName() == place).click()


def test_a_person_finds_fetches_and_chats(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    go_to(window, "Models")
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
    assert toast.accessibleName() == "polite-GGUF F32 is ready."
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


def add_by_drop(window: MainWindow, *files: Path) -> bool:
    """Drop files in the middle of the window; answers whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    copy, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(600, 400), copy, data, left, none)
    enter.setAccepted(False)
    QCoreApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QCoreApplication.sendEvent(window, QDropEvent(QPointF(600, 400), copy, data, left, none))
    return enter.isAccepted()


def test_model_files_can_be_dropped_anywhere(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    models = [write_model(tmp_path / f"{n}.gguf", says=f"{n}.", name=n) for n in ("one", "two")]
    go_to(window, "Models")
    assert not add_by_drop(window, tmp_path / "letter.txt")
    assert add_by_drop(window, *models)
    toast = window.findChildren(Toast)[0]
    qtbot.waitUntil(toast.isVisible)
    item = next(i for i in window.findChildren(NavItem) if i.text() == "On this computer")
    qtbot.waitUntil(lambda: item.accessibleName() == "On this computer, 2", timeout=WAIT_MS)
    toast.act()
    assert isinstance(window._stack.currentWidget(), ChatPage)


def test_a_field_does_not_take_a_model_file_for_text(theme: Theme, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/models/tiny.gguf")])
    field = TextField(theme, "Name")
    qtbot.addWidget(field)
    enter = QDragEnterEvent(
        QPoint(1, 1),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    field.dragEnterEvent(enter)
    assert not enter.isAccepted()
    area = TextArea(theme, "Prompt")
    qtbot.addWidget(area)
    assert not area.canInsertFromMimeData(data)
    data.setText("https://models.example/")
    data.setUrls([QUrl("https://models.example/")])
    assert area.canInsertFromMimeData(data)


def test_a_download_shows_on_every_page_until_it_fails(
    qtbot: QtBot, window: MainWindow, hub: HubServer
) -> None:
    """The rail has it while it runs; what went wrong is offered to be looked at."""
    hub.cdn.bytes_per_second_per_connection = 5_000
    files = (WantedFile(sources=(HubFile(REPO, "polite-F32.gguf"),), target="polite.gguf"),)
    request = DownloadRequest(id="polite", ref="polite", title="Polite", quant="F32", files=files)
    window._pages._downloads.add(request)
    rail = next(b for b in window.findChildren(RailButton) if b.accessibleName() == "Models")
    qtbot.waitUntil(lambda: "Polite" in rail.toolTip(), timeout=WAIT_MS)
    window._pages._downloads.cancel("polite")
    qtbot.waitUntil(lambda: rail.toolTip() == "Models", timeout=WAIT_MS)

    missing = (WantedFile(sources=(HubFile(REPO, "absent.gguf"),), target="absent.gguf"),)
    window._pages.show_place("settings")
    window._pages._downloads.add(
        DownloadRequest(id="absent", ref="absent", title="Absent", quant="", files=missing)
    )
    toast = window.findChildren(Toast)[0]
    qtbot.waitUntil(toast.isVisible, timeout=WAIT_MS)
    assert toast.accessibleName().startswith("Absent couldn't be fetched.")
    toast.act()
    row = window.findChildren(DownloadRow)[0]
    qtbot.waitUntil(row.isVisible)
    assert row.state.phase == "failed"

    toast.dismiss()
    downloads = window._pages._downloads
    with qtbot.waitSignal(downloads.failed, timeout=WAIT_MS):  # it may fail before anybody looks
        downloads.retry("absent")
    assert row.state.phase == "failed"
    assert not toast.isVisible()  # the person sees it there
