"""The page of the local server: what it says, and what it asks for."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.errors import Problem
from app.server.config import ServerState
from app.server.journal import RequestRow
from app.settings import SETTINGS, Settings
from tests.ui.tab_order import names, tab_stops
from ui.kit import NumberField, Switch
from ui.server.examples import examples
from ui.server.request_list import RequestList, details_of
from ui.server.request_view import RequestView
from ui.server.server_page import ServerPage
from ui.theme import Theme

ON = ServerState(phase="on", addresses=("http://127.0.0.1:7411", "http://192.168.1.20:7411"))
ROW = RequestRow(
    id=1,
    began=1_700_000_000.0,
    api="OpenAI",
    method="POST",
    path="/v1/chat/completions",
    client="127.0.0.1",
    agent="OpenAI/Python",
    model="smollm2",
    phase="done",
    status=200,
    prompt_tokens=412,
    cached_tokens=380,
    tokens=96,
    tokens_per_second=41.2,
    first_token_ms=120.0,
    seconds=2.5,
    problem="",
    asked="",
    answered="",
)


def row(number: int, **fields: object) -> RequestRow:
    return msgspec.structs.replace(ROW, id=number, **fields)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> ServerPage:
    page = ServerPage(theme)
    qtbot.addWidget(page)
    page.resize(1224, 800)
    page.show_settings(Settings())
    page.show_state(ServerState(), open_to_network=False)
    page.show()
    return page


def words(page: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def press(page: QWidget, name: str) -> None:
    found = [
        b
        for b in page.findChildren(QAbstractButton)
        if b.isVisible() and name in (b.accessibleName(), b.text())
    ]
    found[0].click()


def spoken(rows: RequestList) -> list[str]:
    role = Qt.ItemDataRole.AccessibleTextRole
    return [rows.index(number).data(role) for number in range(rows.rowCount())]


def test_off_it_says_what_it_is_for(page: ServerPage) -> None:
    shown = words(page)
    assert "other programs on this computer can use the models" in shown
    assert "127.0.0.1:7411\n" not in shown
    assert not page.status.switch.isChecked()


def test_the_switch_tells_what_the_person_wants(page: ServerPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.status.switched) as switched:
        qtbot.keyClick(page.status.switch, Qt.Key.Key_Space)
    assert switched.args == [True]


def test_on_it_shows_where_it_is_reached_and_warns_of_the_network(
    page: ServerPage, qtbot: QtBot
) -> None:
    page.show_state(ON, open_to_network=True)
    shown = words(page)
    assert page.status.switch.isChecked()
    assert "http://127.0.0.1:7411\nhttp://192.168.1.20:7411" in shown
    assert "Other computers in this network can connect." in shown
    with qtbot.waitSignal(page.status.copy_requested) as copied:
        press(page, "Copy http://192.168.1.20:7411")
    assert copied.args == ["http://192.168.1.20:7411"]
    page.show_state(ON, open_to_network=False)
    assert "Other computers in this network can connect." not in words(page)


def test_a_port_that_is_taken_is_told_on_the_page(page: ServerPage) -> None:
    problem = Problem("Port 7411 is taken.", "", "Choose another one.")
    page.show_state(ServerState(phase="failed", problem=problem), open_to_network=False)
    assert "Port 7411 is taken. Choose another one." in words(page)
    assert not page.status.switch.isChecked()


def test_a_new_key_is_made_after_a_question_alone(page: ServerPage, qtbot: QtBot) -> None:
    page.status.show_key("••••q3Zw", "Programs need it.")
    assert "••••q3Zw" in words(page)
    with qtbot.waitSignal(page.status.key_copy_requested):
        press(page, "Copy the key")
    with qtbot.assertNotEmitted(page.status.renewal_requested):
        press(page, "Make a new one")
        assert "Replace the key?" in words(page)
        press(page, "Keep this one")
    press(page, "Make a new one")
    with qtbot.waitSignal(page.status.renewal_requested):
        press(page, "Make a new key")


def test_a_request_reads_as_model_state_client_and_figures() -> None:
    rows = RequestList()
    rows.show_rows(
        (
            row(3, phase="answering", seconds=0.0, prompt_tokens=0, cached_tokens=0),
            row(
                2,
                model="",
                method="GET",
                path="/v1/models",
                tokens=0,
                prompt_tokens=0,
                tokens_per_second=0.0,
            ),
            row(1),
        )
    )
    running, listing, done = (text.split(", ", 2) for text in spoken(rows))
    assert running[:2] == ["smollm2", "Writing"]
    assert listing[:2] == ["GET /v1/models", "Done"]
    assert done[:2] == ["smollm2", "Done"]
    assert done[2].endswith(
        "OpenAI · 127.0.0.1 · OpenAI/Python, 412 in (380 cached) · 96 out · 41.2 tok/s"
    )


def test_requests_come_above_and_keep_the_chosen_row(page: ServerPage, qtbot: QtBot) -> None:
    page.show_requests((row(2), row(1)), 1, 0.0)
    view = page.findChild(RequestView)
    view.setCurrentIndex(view.model().index(1, 0))
    page.show_requests((row(4), row(3), row(2), row(1)), 1, 0.0)
    assert view.currentIndex().row() == 3
    page.show_requests((row(4), row(3), row(1)), 1, 0.0)
    assert view.currentIndex().row() == 2
    with qtbot.waitSignal(page.details_requested) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert asked.args[0].id == 1


@pytest.mark.parametrize("count", [0, 1, 3, 200])
def test_the_list_is_never_higher_than_a_few_rows(page: ServerPage, count: int) -> None:
    page.show_requests([row(number) for number in range(count, 0, -1)], 0, 0.0)
    view = page.findChild(RequestView)
    assert view.isVisible() == (count > 0)
    assert view.height() == 52 * min(count, 8)
    assert ("listed here while the server is on" in words(page)) == (count == 0)


def test_who_is_connected_and_how_fast_tokens_come_is_told_while_it_is_on(
    page: ServerPage,
) -> None:
    page.show_state(ON, open_to_network=False)
    page.show_requests((), 1, 0.0)
    assert "1 connected" in words(page)
    assert "tok/s" not in words(page)
    page.show_requests((), 8, 82.4)
    assert "8 connected · 82.4 tok/s" in words(page)
    page.show_state(ServerState(), open_to_network=False)
    assert "connected ·" not in words(page)


def test_only_what_has_ended_can_be_cleared(page: ServerPage, qtbot: QtBot) -> None:
    page.show_requests((row(1, phase="answering"),), 1, 0.0)
    assert "Clear" not in names(tab_stops(page))
    page.show_requests((row(2), row(1, phase="answering")), 1, 0.0)
    with qtbot.waitSignal(page.clear_requested):
        press(page, "Clear")


def test_text_from_outside_is_shown_as_it_is(page: ServerPage) -> None:
    hostile = row(1, model="<img src='file:///x'>\n" + "y" * 5_000, problem="<b>no</b>")
    page.show_requests((hostile,), 1, 0.0)
    page.grab()
    assert ("Problem", "<b>no</b>") in details_of(hostile)


def test_details_hold_the_text_only_where_it_was_kept() -> None:
    assert "Asked" not in dict(details_of(ROW))
    assert dict(details_of(row(1, asked="Why?")))["Asked"] == "Why?"


SERVER_SETTINGS = [s for s in SETTINGS if s.section == "Server" and s.key != "serve"]


@pytest.mark.parametrize("setting", SERVER_SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_of_the_server_stands_on_the_page(page: ServerPage, setting: object) -> None:
    shown = next(declared for declared in SERVER_SETTINGS if declared is setting)
    assert f"{shown.title}\n{shown.help}" in words(page)


def test_a_port_is_no_quantity(page: ServerPage) -> None:
    port = next(f for f in page.findChildren(NumberField) if f.accessibleName() == "Port")
    assert port.text() == "7411"


def test_open_to_the_network_the_key_can_not_be_left_out(page: ServerPage) -> None:
    switch = next(s for s in page.findChildren(Switch) if s.accessibleName() == "Ask for a key")
    assert switch.isEnabled()
    page.show_settings(Settings(serve_lan=True))
    assert not switch.isEnabled()


def test_a_page_that_may_connect_is_added_by_its_origin(page: ServerPage, qtbot: QtBot) -> None:
    origins = page._settings["serve_origins"]
    field = origins._address  # type: ignore[union-attr]
    qtbot.keyClicks(field, "http://localhost:3000/path")
    with qtbot.assertNotEmitted(page.setting_changed):
        press(page, "Add the page")
    assert "is no origin" in words(page)
    field.clear()
    qtbot.keyClicks(field, "http://localhost:3000")
    with qtbot.waitSignal(page.setting_changed) as changed:
        press(page, "Add the page")
    assert changed.args == ["serve_origins", ("http://localhost:3000",)]


def test_what_waits_for_a_restart_is_told(page: ServerPage, qtbot: QtBot) -> None:
    page.show_restart(True)
    with qtbot.waitSignal(page.restart_requested):
        press(page, "Restart the server")
    page.show_restart(False)
    assert "Your changes count" not in words(page)


def test_an_example_shows_no_whole_key_and_names_address_and_model(
    page: ServerPage, qtbot: QtBot
) -> None:
    page.example.show_server("http://127.0.0.1:7411", "••••q3Zw", "smollm2")
    combo = next(iter(page.example.findChildren(QComboBox)))
    for example in examples():
        combo.setCurrentIndex(combo.findData(example.id))
        shown = words(page.example)
        assert "http://127.0.0.1:7411" in shown
        assert "••••q3Zw" in shown
        assert "smollm2" in shown
        with qtbot.waitSignal(page.example.copy_requested) as asked:
            press(page, "Copy the example, with the key")
        assert asked.args == [example]


@pytest.mark.parametrize("example_id", ["openai", "anthropic", "ollama"])
def test_an_example_is_a_program(example_id: str) -> None:
    example = next(example for example in examples() if example.id == example_id)
    compile(example.filled("http://127.0.0.1:7411", "cw-key", "smollm2"), "example", "exec")


def test_the_tab_key_goes_from_above_to_below(page: ServerPage) -> None:
    page.show_state(ON, open_to_network=False)
    page.status.show_key("••••q3Zw", "")
    page.show_requests((row(1),), 1, 0.0)
    QApplication.processEvents()
    stops = names(tab_stops(page))
    start = stops.index("Local server")
    turned = stops[start:] + stops[:start]
    assert turned[:10] == [
        "Local server",
        "Copy http://127.0.0.1:7411",
        "Copy http://192.168.1.20:7411",
        "Copy the key",
        "Make a new one",
        "Clear",
        "Requests",
        "Kind of program",
        "Copy the example, with the key",
        "Port",
    ]
