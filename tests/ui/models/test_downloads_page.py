from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.models.scripted_queue import FULL_DISK, ScriptedQueue, request, state
from tests.ui.tab_order import names, tab_stops
from ui.background import Background
from ui.downloads import Downloads
from ui.kit import Meter
from ui.models.download_row import DownloadRow
from ui.models.downloads_page import DownloadsPage
from ui.theme import Theme

RUNNING = state(
    "Plover", done=2_900_000_000, total=4_680_000_000, bytes_per_second=18.4e6, seconds_left=97.0
)
PAUSED = state("Heron", "paused", done=820_000_000, total=4_100_000_000)
FAILED = state("Tern", "failed", done=2_000_000, total=4_100_000_000, problem=FULL_DISK)
DONE = state("Wader", "done", done=98_000_000, total=98_000_000)
ADAPTER = state("Terse", "done", done=1, total=1, request=request("Terse", "", "adapter"))


@pytest.fixture
def queue() -> ScriptedQueue:
    return ScriptedQueue()


@pytest.fixture
def downloads(qapp: QApplication, queue: ScriptedQueue) -> Iterator[Downloads]:
    background = Background()
    downloads = Downloads(background, queue)
    yield downloads
    downloads.stop()
    assert background.finish(60_000)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot, downloads: Downloads) -> DownloadsPage:
    page = DownloadsPage(theme, downloads)
    qtbot.addWidget(page)
    page.resize(964, 800)
    page.show()
    return page


def show(queue: ScriptedQueue, *states: object) -> None:
    queue.show(*states)
    QApplication.processEvents()
    QApplication.processEvents()  # a layout shows what is put into it with the next event


def words(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def button(page: QWidget, name: str) -> QAbstractButton:
    return next(
        found
        for found in page.findChildren(QAbstractButton)
        if found.isVisible() and found.accessibleName() == name
    )


def press(page: QWidget, name: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(button(page, name), Qt.MouseButton.LeftButton)


def rows(page: DownloadsPage) -> list[str]:
    """The titles, from top to bottom."""
    shown = [row for row in page.findChildren(DownloadRow) if row.isVisible()]
    shown.sort(key=lambda row: row.mapTo(page, row.rect().topLeft()).y())
    return [row.state.request.title for row in shown]


def asked(queue: ScriptedQueue, qtbot: QtBot, *what: object) -> None:
    qtbot.waitUntil(lambda: bool(queue.asked))
    assert queue.asked == [what]


def test_an_empty_page_says_what_to_do(page: DownloadsPage, qtbot: QtBot) -> None:
    assert "No downloads" in words(page)
    with qtbot.waitSignal(page.discover_requested):
        press(page, "Browse the catalogue", qtbot)


def test_a_running_download_shows_bytes_speed_and_time(
    page: DownloadsPage, queue: ScriptedQueue
) -> None:
    show(queue, RUNNING)
    assert "Plover\nQ4_K_M\n61 %" in words(page)
    assert "2.90 GB of 4.68 GB\n18.4 MB/s · 1 min 37 s left" in words(page)
    assert page.findChild(Meter).accessibleDescription() == (
        "2.90 GB of 4.68 GB 18.4 MB/s · 1 min 37 s left"
    )


def test_each_download_stands_in_the_section_of_its_phase(
    page: DownloadsPage, queue: ScriptedQueue
) -> None:
    show(queue, DONE, FAILED, RUNNING, PAUSED)
    assert rows(page) == ["Plover", "Heron", "Tern", "Wader"]
    for title in ("In progress", "Needs attention", "Finished"):
        assert title in words(page)
    show(queue, DONE)
    assert "In progress" not in words(page)
    assert "Needs attention" not in words(page)


def test_a_row_changes_in_place(page: DownloadsPage, queue: ScriptedQueue) -> None:
    show(queue, RUNNING, PAUSED)
    before = page.findChildren(DownloadRow)
    show(queue, msgspec.structs.replace(RUNNING, done=3_000_000_000), PAUSED)
    assert page.findChildren(DownloadRow) == before
    assert "3.00 GB of 4.68 GB" in words(page)


def test_a_download_is_paused_and_resumed_and_the_focus_stays(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, RUNNING)
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    button(page, "Pause Plover").setFocus()
    press(page, "Pause Plover", qtbot)
    asked(queue, qtbot, "pause", "Plover:Q4_K_M")
    queue.asked.clear()
    show(queue, msgspec.structs.replace(RUNNING, phase="paused"))
    assert "Paused at 2.90 GB of 4.68 GB" in words(page)
    assert page.focusWidget() is button(page, "Resume Plover")
    press(page, "Resume Plover", qtbot)
    asked(queue, qtbot, "resume", "Plover:Q4_K_M")


def test_what_took_long_to_fetch_is_not_thrown_away_without_a_question(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, RUNNING)
    press(page, "Cancel Plover", qtbot)
    assert "Give it up? 2.90 GB are here already." in words(page)
    press(page, "Keep it", qtbot)
    assert "Give it up?" not in words(page)
    assert queue.asked == []
    press(page, "Cancel Plover", qtbot)
    press(page, "Delete what is here", qtbot)
    asked(queue, qtbot, "cancel", "Plover:Q4_K_M")


def test_little_is_given_up_at_once(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, state("Plover", "waiting"))
    press(page, "Cancel Plover", qtbot)
    asked(queue, qtbot, "cancel", "Plover:Q4_K_M")


def test_a_failure_says_what_happened_and_can_be_tried_again(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, FAILED)
    assert "The disk is full. 2.1 GB are missing. Free some space." in words(page)
    assert "owner/name/Tern.gguf (main)" not in words(page)
    press(page, "Details", qtbot)
    assert "Tern.gguf: owner/name/Tern.gguf (main)" in words(page)
    press(page, "Retry", qtbot)
    asked(queue, qtbot, "retry", "Tern:Q4_K_M")


def test_a_finished_model_can_be_chatted_with_and_an_adapter_shown(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, DONE, ADAPTER)
    assert "98 MB · checked · ready to use" in words(page)
    with qtbot.waitSignal(page.chat_requested) as chat:
        press(page, "Chat with Wader", qtbot)
    assert chat.args == [DONE]
    with qtbot.waitSignal(page.show_requested) as shown:
        press(page, "Show Terse", qtbot)
    assert shown.args == [ADAPTER]
    press(page, "Clear", qtbot)
    asked(queue, qtbot, "clear_finished")


def test_a_checksum_that_nobody_published_is_not_called_checked(
    page: DownloadsPage, queue: ScriptedQueue
) -> None:
    wanted = request("Wader")
    file = msgspec.structs.replace(wanted.files[0], sha256=None)
    show(queue, state("Wader", "done", request=msgspec.structs.replace(wanted, files=(file,))))
    assert "checksum recorded" in words(page)


def test_all_are_paused_and_resumed_at_once(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, RUNNING, PAUSED)
    assert "18.4 MB/s\nIn progress" in words(page)
    press(page, "Pause all", qtbot)
    asked(queue, qtbot, "pause_all")
    queue.asked.clear()
    show(queue, PAUSED)
    press(page, "Resume all", qtbot)
    asked(queue, qtbot, "resume_all")


def test_the_order_is_changed_past_what_lies_between(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, RUNNING, FAILED, PAUSED)
    press(page, "Move Heron up", qtbot)
    asked(queue, qtbot, "move", "Heron:Q4_K_M", 0)
    queue.asked.clear()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    button(page, "Pause Plover").setFocus()
    qtbot.keyClick(button(page, "Pause Plover"), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    asked(queue, qtbot, "move", "Plover:Q4_K_M", 2)
    show(queue, PAUSED, FAILED, RUNNING)
    assert rows(page) == ["Heron", "Plover", "Tern"]


def test_the_only_one_has_no_place_to_go(page: DownloadsPage, queue: ScriptedQueue) -> None:
    show(queue, RUNNING, DONE)
    assert names(tab_stops(page)) == [
        "Pause all",
        "Pause Plover",
        "Cancel Plover",
        "Clear",
        "Chat with Wader",
        "Take Wader off the list",
    ]


def test_offline_is_said_with_the_way_out(page: DownloadsPage, qtbot: QtBot) -> None:
    page.show_offline(True)
    assert "Causeway stays offline." in words(page)
    with qtbot.waitSignal(page.settings_requested) as asked_for:
        press(page, "Open the settings", qtbot)
    assert asked_for.args == ["Network"]


def test_only_what_ends_from_now_on_is_news(downloads: Downloads, queue: ScriptedQueue) -> None:
    finished: list[str] = []
    failed: list[str] = []
    downloads.finished.connect(lambda each: finished.append(each.request.title))
    downloads.failed.connect(lambda each: failed.append(each.request.title))
    show(queue, DONE, RUNNING, PAUSED)
    show(queue, DONE, msgspec.structs.replace(RUNNING, phase="done"), PAUSED)
    show(queue, DONE, msgspec.structs.replace(PAUSED, phase="failed", problem=FULL_DISK))
    assert finished == ["Plover"]
    assert failed == ["Heron"]


def test_what_is_asked_for_again_goes_on(
    downloads: Downloads, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, PAUSED, FAILED)
    downloads.add(PAUSED.request)
    downloads.add(FAILED.request)
    qtbot.waitUntil(lambda: len(queue.asked) == 4)
    assert ("resume", "Heron:Q4_K_M") in queue.asked
    assert ("retry", "Tern:Q4_K_M") in queue.asked


def test_what_holds_a_download_up_is_said_in_its_row(
    page: DownloadsPage, queue: ScriptedQueue
) -> None:
    note = "hub.example can't be reached. Trying again in 8 s."
    show(queue, msgspec.structs.replace(RUNNING, bytes_per_second=0.0, note=note))
    assert "hub.example can't be reached. Trying again in 8 s" in words(page)


def test_the_button_of_a_download_shows_a_hostile_name_as_it_is(
    page: DownloadsPage, queue: ScriptedQueue
) -> None:
    show(queue, state('<img src="file:///etc/passwd">', "done", done=1, total=1))
    tooltips = [each.toolTip() for each in page.findChildren(QAbstractButton)]
    assert not any("<img" in tooltip for tooltip in tooltips)
    assert any("&lt;img" in tooltip for tooltip in tooltips)


def test_a_person_with_a_mouse_sees_no_ring_where_the_focus_goes_on_by_itself(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, RUNNING)
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    qtbot.mouseClick(button(page, "Pause Plover"), Qt.MouseButton.LeftButton)
    show(queue, msgspec.structs.replace(RUNNING, phase="paused"))
    resume = button(page, "Resume Plover")
    assert resume.hasFocus()
    assert not resume.shows_ring


def test_several_that_failed_can_be_tried_again_at_once(
    page: DownloadsPage, queue: ScriptedQueue, qtbot: QtBot
) -> None:
    show(queue, FAILED)
    assert not any(
        each.isVisible()
        for each in page.findChildren(QAbstractButton)
        if each.accessibleName() == "Retry all"
    )
    other = state("Heron", "failed", done=1, total=2, problem=FULL_DISK)
    show(queue, FAILED, other)
    press(page, "Retry all", qtbot)
    qtbot.waitUntil(lambda: len(queue.asked) == 2)
    assert queue.asked == [("retry", FAILED.request.id), ("retry", other.request.id)]
