from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.conversations.recovery import Recovered, recovered_path
from app.conversations.store import ConversationStore
from app.errors import Problem
from ui.background import Background
from ui.kit import Button, Meter
from ui.rescue import Rescue
from ui.theme import Theme
from ui.trouble_page import TroublePage

PROBLEM = Problem("The file is damaged.", "SQLite says so.", "Set it aside.")


def buttons(page: TroublePage) -> dict[str, Button]:
    return {each.text(): each for each in page.findChildren(Button) if each.isVisible()}


@pytest.fixture
def page(qtbot: QtBot) -> TroublePage:
    page = TroublePage(Theme("light"), PROBLEM, damaged=True)
    qtbot.addWidget(page)
    page.show()
    return page


def test_saving_comes_first_and_setting_aside_is_possible(qtbot: QtBot, page: TroublePage) -> None:
    assert list(buttons(page)) == [
        "Save what can be read",
        "Set it aside and start empty",
        "Show the file",
    ]
    with qtbot.waitSignal(page.recovery_requested):
        buttons(page)["Save what can be read"].click()
    with qtbot.waitSignal(page.fresh_start_requested):
        buttons(page)["Set it aside and start empty"].click()


def test_what_was_saved_is_told_and_the_person_chooses(qtbot: QtBot, page: TroublePage) -> None:
    page.show_progress(50)
    qtbot.waitUntil(lambda: list(buttons(page)) == ["Cancel"])
    assert page.findChildren(Meter)[0].fraction == 0.5
    with qtbot.waitSignal(page.cancel_requested):
        buttons(page)["Cancel"].click()
    saved = Recovered(
        path=Path("x"), chats=12, messages=1480, of_chats=13, of_messages=None, cut=2, moved=3
    )
    page.show_recovered(saved)
    for words in ("Chats: 12 of 13.", "Messages: 1,480.", "end: 2.", "them: 3.", "is kept"):
        assert words in page.accessibleName()
    choice = ["Open the saved copy", "Set it aside and start empty", "Quit"]
    qtbot.waitUntil(lambda: list(buttons(page)) == choice)
    assert not page.findChildren(Meter)
    with qtbot.waitSignal(page.copy_requested):
        buttons(page)["Open the saved copy"].click()
    with qtbot.waitSignal(page.quit_requested):
        buttons(page)["Quit"].click()


def test_a_newer_database_can_only_be_tried_again_or_shown(qtbot: QtBot) -> None:
    page = TroublePage(Theme("light"), PROBLEM, damaged=False)
    qtbot.addWidget(page)
    page.show()
    assert set(buttons(page)) == {"Try again", "Show the file"}
    with qtbot.waitSignal(page.retry_requested):
        buttons(page)["Try again"].click()
    assert "SQLite says so." in page.accessibleName()


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    assert background.finish(10_000)
    background.deleteLater()


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "conversations.sqlite3"
    store = ConversationStore(path)
    conversation = store.create()
    store.add_message(conversation.id, parent_id=None, role="user", text="Hello")
    store.close()
    data = path.read_bytes()
    path.write_bytes(b"\0" * 4096 + data[4096:])
    return path


def test_a_cancelled_rescue_leads_back_to_the_choice(
    qtbot: QtBot, page: TroublePage, background: Background, damaged: Path
) -> None:
    rescue = Rescue(background, damaged, page)
    buttons(page)["Save what can be read"].click()
    rescue.stop()
    qtbot.waitUntil(lambda: "Save what can be read" in buttons(page), timeout=60_000)
    assert not recovered_path(damaged).exists()


def test_the_saved_copy_is_put_in_place(
    qtbot: QtBot, page: TroublePage, background: Background, damaged: Path
) -> None:
    rescue = Rescue(background, damaged, page)
    buttons(page)["Save what can be read"].click()
    qtbot.waitUntil(lambda: "Open the saved copy" in buttons(page), timeout=60_000)
    with qtbot.waitSignal(rescue.saved_copy_used, timeout=60_000):
        buttons(page)["Open the saved copy"].click()
    store = ConversationStore(damaged)
    assert [row.title for row in store.rows()] == ["Hello"]
    store.close()
