from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.errors import Problem
from catalog.catalogues.bundled import load_bundled
from catalog.downloads.wanted import DownloadProblem, DownloadState
from tests.ui.models.scripted_queue import state
from tests.ui.tab_order import names, tab_stops
from ui.kit import Notice
from ui.theme import Theme
from ui.welcome.welcome import WelcomePage

OFFLINE = Problem(
    "The package index can't be reached.",
    "There is no network connection.",
    "Connect to a network and try again, or use a model file that is on this computer.",
)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> WelcomePage:
    page = WelcomePage(theme, load_bundled().entries[0])
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    return page


def buttons(page: QWidget) -> list[str]:
    """The names of the buttons that can be pressed now, in the order of the tab key."""
    return [
        button.accessibleName()
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and button.isEnabled()
    ]


def press(page: QWidget, name: str, qtbot: QtBot) -> None:
    found = next(
        button
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and button.accessibleName() == name
    )
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def words(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def downloading(done: int, total: int) -> DownloadState:
    return state("Starter", done=done, total=total, bytes_per_second=4.2e6, seconds_left=13.4)


def paused(done: int) -> DownloadState:
    return state("Starter", "paused", done=done, total=93_000_000)


def failed(done: int = 0) -> DownloadState:
    return state("Starter", "failed", done=done, problem=DownloadProblem(*OFFLINE[:3]))


def drag(path: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


def enter(page: WelcomePage, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    event.setAccepted(False)
    page.dragEnterEvent(event)
    return event


def drop(page: WelcomePage, data: QMimeData) -> None:
    page.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def test_two_ways_are_open_and_the_cost_of_the_first_is_said(page: WelcomePage) -> None:
    assert names(tab_stops(page)) == ["Start chatting", "Use a model file…", "Browse the catalogue"]
    assert "98 MB · Apache-2.0" in words(page)


def test_starting_and_cancelling_are_asked_for(page: WelcomePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.start_requested):
        press(page, "Start chatting", qtbot)
    page.show_download(downloading(38_000_000, 93_000_000))
    with qtbot.waitSignal(page.cancel_requested):
        press(page, "Cancel", qtbot)


def test_a_download_shows_bytes_speed_and_time(page: WelcomePage) -> None:
    page.show_download(downloading(38_000_000, 93_000_000))
    assert "38 MB of 93 MB" in words(page)
    assert "4.2 MB/s · 13 s left" in words(page)
    assert buttons(page) == ["Cancel", "Use a model file…", "Browse the catalogue"]


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ("finding", "Looking for the file…"),
        ("verifying", "Checking the file…"),
        ("unpacking", "Unpacking…"),
    ],
)
def test_what_surrounds_a_download_is_named(page: WelcomePage, stage: str, says: str) -> None:
    page.show_download(msgspec.structs.replace(downloading(0, 1), stage=stage, total=None))
    assert says in words(page)


def test_a_broken_off_download_can_be_resumed(page: WelcomePage, qtbot: QtBot) -> None:
    page.show_download(paused(38_000_000))
    assert "38 MB of 98 MB are here already." in words(page)
    with qtbot.waitSignal(page.start_requested):
        press(page, "Resume", qtbot)


def test_without_a_network_the_second_way_stays_open(page: WelcomePage) -> None:
    page.show_download(downloading(38_000_000, 93_000_000))
    page.show_download(failed(38_000_000))
    assert OFFLINE.sentence() in words(page)
    assert buttons(page) == ["Try again", "Use a model file…", "Browse the catalogue"]


def test_a_new_state_of_the_same_failure_does_not_bring_its_words_back(
    page: WelcomePage, qtbot: QtBot
) -> None:
    page.show_download(failed())
    press(page, "Try again", qtbot)
    page.show_download(failed())
    assert OFFLINE.what not in words(page)
    page.show_download(downloading(1, 2))
    page.show_download(failed())
    assert OFFLINE.what in words(page)


def test_all_of_a_failure_can_be_read(page: WelcomePage, theme: Theme, qtbot: QtBot) -> None:
    page.show_download(failed())
    notice = page.findChild(Notice)
    qtbot.waitUntil(lambda: notice.height() >= 2 * theme.line_height())
    assert notice.height() >= notice.heightForWidth(notice.width())


def test_a_new_try_takes_the_failure_away(page: WelcomePage, qtbot: QtBot) -> None:
    page.show_download(failed())
    press(page, "Try again", qtbot)
    assert OFFLINE.what not in words(page)


def test_a_refused_file_leaves_the_starter_model_as_it_was(page: WelcomePage) -> None:
    page.show_refused(OFFLINE, paused(38_000_000))
    assert OFFLINE.what in words(page)
    assert "Resume" in buttons(page)


def test_what_is_wrong_with_a_file_stays_to_be_read_while_a_download_runs(
    page: WelcomePage,
) -> None:
    page.show_problem(OFFLINE)
    page.show_download(downloading(1, 2))
    assert OFFLINE.what in words(page)


def test_while_the_model_opens_nothing_can_be_cancelled(page: WelcomePage) -> None:
    page.show_opening()
    assert "Opening the model…" in words(page)
    assert "Cancel" not in buttons(page)


def test_nothing_moves_when_the_download_begins(page: WelcomePage) -> None:
    page.grab()
    before = {
        label: label.mapTo(page, QPoint(0, 0))
        for label in page.findChildren(QLabel)
        if label.isVisible()
    }
    page.show_download(downloading(1, 2))
    page.grab()
    after = {label: label.mapTo(page, QPoint(0, 0)) for label in before if label.isVisible()}
    assert len(after) > 8
    assert after == {label: before[label] for label in after}


def test_the_keyboard_stays_with_the_button_that_changes(page: WelcomePage, qtbot: QtBot) -> None:
    page.activateWindow()
    page.focus_first()
    qtbot.waitUntil(lambda: page.focusWidget() is not None and page.isActiveWindow())
    page.show_download(downloading(1, 2))
    assert page.focusWidget().accessibleName() == "Cancel"
    page.show_download(None)
    assert page.focusWidget().accessibleName() == "Start chatting"


def test_a_model_file_can_be_dropped(page: WelcomePage, qtbot: QtBot, tmp_path: Path) -> None:
    model = tmp_path / "Ours.GGUF"
    assert enter(page, drag(model)).isAccepted()
    with qtbot.waitSignal(page.file_chosen) as chosen:
        drop(page, drag(model))
    assert chosen.args == [model]


def test_other_things_can_not_be_dropped(page: WelcomePage, qtbot: QtBot, tmp_path: Path) -> None:
    remote = QMimeData()
    remote.setUrls([QUrl("https://models.example/x.gguf")])
    for data in (drag(tmp_path / "letter.txt"), remote, QMimeData()):
        assert not enter(page, data).isAccepted()
        with qtbot.assertNotEmitted(page.file_chosen):
            drop(page, data)


def test_a_model_file_can_be_chosen(page: WelcomePage, qtbot: QtBot, tmp_path: Path) -> None:
    press(page, "Use a model file…", qtbot)
    dialog = page.findChild(QFileDialog)
    assert dialog.isVisible()
    with qtbot.waitSignal(page.file_chosen) as chosen:
        dialog.fileSelected.emit(str(tmp_path / "ours.gguf"))
    assert chosen.args == [tmp_path / "ours.gguf"]
    dialog.close()


@pytest.mark.parametrize("size", [(760, 560), (1224, 800), (1900, 1100)])
def test_everything_fits_in_the_smallest_window_and_in_a_large_one(
    page: WelcomePage, size: tuple[int, int]
) -> None:
    page.resize(*size)
    page.show_download(failed())
    page.grab()
    for label in page.findChildren(QLabel):
        if label.isVisible():
            assert page.rect().contains(label.mapTo(page, label.rect().center()))
            assert label.width() >= min(label.sizeHint().width(), 200)


def test_no_water_runs_behind_the_words(page: WelcomePage, theme: Theme) -> None:
    page.resize(760, 560)
    page.show_download(failed())
    QApplication.processEvents()
    image = page.grab().toImage()
    promise = next(
        label for label in page.findChildren(QLabel) if label.text().startswith("What you write")
    )
    beside = promise.geometry().translated(promise.width() + 4, 0)
    row = {
        image.pixelColor(x, y).name()
        for x in range(beside.left(), 750)
        for y in range(beside.top(), beside.bottom())
    }
    assert row == {theme.color("page").name()}
