from pytestqt.qtbot import QtBot

from app.errors import Problem
from ui.kit import Button
from ui.theme import Theme
from ui.trouble_page import TroublePage

PROBLEM = Problem("The file is damaged.", "SQLite says so.", "Set it aside.")


def buttons(page: TroublePage) -> dict[str, Button]:
    return {button.text(): button for button in page.findChildren(Button)}


def test_a_damaged_database_can_be_set_aside(qtbot: QtBot) -> None:
    page = TroublePage(Theme("light"), PROBLEM, damaged=True)
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.fresh_start_requested):
        buttons(page)["Set it aside and start empty"].click()


def test_a_newer_database_can_only_be_tried_again_or_shown(qtbot: QtBot) -> None:
    page = TroublePage(Theme("light"), PROBLEM, damaged=False)
    qtbot.addWidget(page)
    assert set(buttons(page)) == {"Try again", "Show the file"}
    with qtbot.waitSignal(page.retry_requested):
        buttons(page)["Try again"].click()
    assert "SQLite says so." in page.accessibleName()
