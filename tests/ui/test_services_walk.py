"""Services and the server in the whole window, with a real service and real clients on this computer."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths_under
from app.secrets import Secrets
from app.serving import KEY_VARIABLE
from app.settings_file import SettingsFile
from backends.openai_compatible.patience import Patience
from tests.backends.openai_compatible.openai_server import OpenAIServer
from tests.ui.whole_window import whole_window
from ui.chat.answer_item import AnswerItem
from ui.chat.chat_page import ChatPage
from ui.chat.composer_field import ComposerField
from ui.chat.conversation_model import ConversationModel
from ui.chat.model_picker import ModelButton
from ui.chat.new_chat import NewChat
from ui.chat.status import ModelStatus
from ui.keys.passphrase_dialog import PassphraseDialog
from ui.kit import NavItem, RailButton, Toast
from ui.main_window import MainWindow
from ui.models.services.service_dialog import ServiceDialog
from ui.models.services.services_page import ServicesPage
from ui.server.server_page import ServerPage
from ui.theme import Theme

WAIT_MS = 60_000
KEY = "sk-only-for-tests"
VARIABLE = "CAUSEWAY_TEST_KEY"

Open = Callable[[], MainWindow]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


@pytest.fixture
def service() -> Iterator[OpenAIServer]:
    with OpenAIServer(key=KEY) as service:
        yield service


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number


@pytest.fixture
def settings(paths: Paths, port: int) -> SettingsFile:
    settings = SettingsFile(paths.settings_file)
    settings.update(adopt_places=False, serve_port=port)
    return settings


@pytest.fixture
def open_window(qtbot: QtBot, theme: Theme, paths: Paths, settings: SettingsFile) -> Iterator[Open]:
    opened = ExitStack()

    def open_() -> MainWindow:
        opened.close()
        window = opened.enter_context(whole_window(theme, paths, settings))
        qtbot.waitUntil(lambda: window.is_ready, timeout=WAIT_MS)
        with qtbot.waitActive(window):
            window.activateWindow()
        return window

    with opened:
        yield open_


def words(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def press(widget: QWidget, name: str) -> None:
    found = [
        b
        for b in widget.findChildren(QAbstractButton)
        if b.isVisible() and name in (b.accessibleName(), b.text())
    ]
    found[0].click()


def go_to(window: MainWindow, place: str) -> None:
    next(b for b in window.findChildren(RailButton) if b.accessibleName() == place).click()


def open_services_page(window: MainWindow) -> ServicesPage:
    go_to(window, "Models")
    next(i for i in window.findChildren(NavItem) if i.text() == "Services").click()
    return window.findChildren(ServicesPage)[0]


def begin_connecting(
    qtbot: QtBot, window: MainWindow, service: OpenAIServer, title: str
) -> ServiceDialog:
    page = open_services_page(window)
    press(page, "Connect another service")
    dialog = window.findChildren(ServiceDialog)[-1]
    fields = {f.accessibleName(): f for f in dialog.findChildren(QLineEdit)}
    qtbot.keyClicks(fields["Address"], service.url)
    qtbot.keyClicks(fields["Name"], title)
    combo = next(iter(dialog.findChildren(QComboBox)))
    combo.setCurrentIndex(combo.findData("variable"))
    fields["Name of the variable"].clear()
    qtbot.keyClicks(fields["Name of the variable"], VARIABLE)
    press(dialog, "Connect")
    return dialog


def connect(qtbot: QtBot, window: MainWindow, service: OpenAIServer, title: str) -> None:
    page = open_services_page(window)
    begin_connecting(qtbot, window, service, title)
    toast = window.findChildren(Toast)[0]
    expected = f"{title} answers and lists 1 model."
    qtbot.waitUntil(lambda: toast.accessibleName() == expected, timeout=WAIT_MS)
    toast.dismiss()
    qtbot.waitUntil(lambda: f"{title}\n" in words(page))


def say(qtbot: QtBot, window: MainWindow, text: str) -> AnswerItem:
    go_to(window, "Chats")
    field = window.findChildren(ComposerField)[0]
    qtbot.waitUntil(lambda: not field.isReadOnly(), timeout=WAIT_MS)
    transcript = window.findChildren(ChatPage)[0]._layout.transcript

    def finished() -> list[AnswerItem]:
        answers = [item for item in transcript.items if isinstance(item, AnswerItem)]
        return [item for item in answers if not item.streaming]

    before = len(finished())
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(finished()) > before, timeout=WAIT_MS)
    return finished()[-1]


def test_a_person_connects_a_service_and_chats_through_it(
    qtbot: QtBot, open_window: Open, service: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    window = open_window()
    connect(qtbot, window, service, "Study")
    page = window.findChildren(ServicesPage)[0]
    qtbot.waitUntil(lambda: "1 model · key from CAUSEWAY_TEST_KEY" in words(page))
    go_to(window, "Chats")
    qtbot.waitUntil(
        lambda: "answers through Study" in words(window.findChildren(NewChat)[0]), timeout=WAIT_MS
    )
    assert say(qtbot, window, "Hello").written == "Hello there, friend."
    assert window.findChildren(ModelButton)[0].accessibleName() == "Model: words Study"

    window = open_window()  # the model is there again, without the service being asked
    qtbot.waitUntil(
        lambda: "words Study" in window.findChildren(ModelButton)[0].accessibleName(),
        timeout=WAIT_MS,
    )


def test_a_service_that_hangs_is_asked_no_longer_once_its_dialog_is_closed(
    qtbot: QtBot, open_window: Open, service: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Patience(first_byte=9000, listing=9000)
    monkeypatch.setattr("backends.openai_compatible.backend.Patience", lambda: hours)
    monkeypatch.setenv(VARIABLE, KEY)
    service.script = ["mute"]
    window = open_window()
    page = open_services_page(window)
    dialog = begin_connecting(qtbot, window, service, "Study")
    qtbot.waitUntil(lambda: bool(service.requests), timeout=WAIT_MS)
    press(dialog, "Close")
    qtbot.waitUntil(service.requests[0].gone.is_set, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "no models known" in words(page), timeout=WAIT_MS)


def test_a_chat_that_begins_to_leave_says_so_and_offline_it_can_not(
    qtbot: QtBot,
    open_window: Open,
    service: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    with OpenAIServer(key=KEY) as far:
        # Every server of the tests is on this computer: one is taken for another.
        monkeypatch.setattr("app.connections.connections.is_loopback", lambda url: url != far.url)
        window = open_window()
        connect(qtbot, window, service, "Study")
        say(qtbot, window, "Hello")
        connect(qtbot, window, far, "Elsewhere")
        go_to(window, "Chats")
        chat = window.findChildren(ChatPage)[0]
        toast = window.findChildren(Toast)[0]
        qtbot.waitUntil(lambda: len(chat._layout.picker._models) == 2, timeout=WAIT_MS)
        chat._layout.picker.model_chosen.emit("elsewhere:words")
        qtbot.waitUntil(
            lambda: (
                toast.accessibleName()
                == "With your next message, this whole chat goes to Elsewhere."
            ),
            timeout=WAIT_MS,
        )
        toast.dismiss()
        button = window.findChildren(ModelButton)[0]
        qtbot.waitUntil(
            lambda: button.accessibleName() == "Model: words Elsewhere, leaves this computer"
        )
        assert window.findChildren(ModelStatus)[0].text().startswith("Goes to Elsewhere")
        assert not far.bodies[1:]  # nothing but the list of models was asked for
        field = window.findChildren(ComposerField)[0]
        assert "Elsewhere" in field.accessibleDescription()
        chat.show_offline(True)
        assert field.isReadOnly()
        assert "stays offline" in field.hint
        chat.show_offline(False)
        assert not field.isReadOnly()
        say(qtbot, window, "Go on")
        assert len(far.bodies) == 2


def test_a_refused_key_leads_to_the_services(
    qtbot: QtBot, open_window: Open, service: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    window = open_window()
    connect(qtbot, window, service, "Study")
    monkeypatch.setenv(VARIABLE, "sk-wrong")
    answer = say(qtbot, window, "Hello")
    assert answer.message.status == "interrupted"
    press(answer, "Open services")
    page = window.findChildren(ServicesPage)[0]
    assert page.isVisible()
    press(page, "Ask Study for its models again")
    qtbot.waitUntil(lambda: "key" in words(page.row("study") or page).split("API_KEY", 1)[-1])
    press(page, "Remove Study")
    press(page, "Remove")
    qtbot.waitUntil(lambda: "No service is connected" in words(page), timeout=WAIT_MS)
    window.findChildren(Toast)[0].dismiss()


def test_keys_that_are_sealed_are_unlocked_after_a_start(
    qtbot: QtBot, open_window: Open, paths: Paths, settings: SettingsFile
) -> None:
    secrets = Secrets(settings, paths.secrets_file)
    secrets.use_file("a long enough phrase")
    secrets.write("connection/x", "sk-sealed")
    window = open_window()
    toast = window.findChildren(Toast)[0]
    qtbot.waitUntil(lambda: "locked" in toast.accessibleName(), timeout=WAIT_MS)
    toast.act()
    dialog = window.findChildren(PassphraseDialog)[0]
    qtbot.keyClicks(dialog.findChildren(QLineEdit)[0], "a long enough phrase")
    press(dialog, "Unlock")
    qtbot.waitUntil(lambda: not window.findChildren(PassphraseDialog), timeout=WAIT_MS)
    assert window._opened is not None
    assert window._opened.services.secrets.read("connection/x") == "sk-sealed"


def ask(address: str, key: str) -> int:
    request = urllib.request.Request(
        f"{address}/v1/models", headers={"Authorization": f"Bearer {key}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_the_server_is_switched_on_used_and_switched_off(
    qtbot: QtBot, open_window: Open, port: int
) -> None:
    window = open_window()
    go_to(window, "Server")
    page = window.findChildren(ServerPage)[0]
    address = f"http://127.0.0.1:{port}"
    page.status.switch.click()
    qtbot.waitUntil(lambda: f"{address}\n" in words(page), timeout=WAIT_MS)
    rail = next(b for b in window.findChildren(RailButton) if b.accessibleName() == "Server")
    qtbot.waitUntil(lambda: address in rail.toolTip())
    qtbot.waitUntil(lambda: "••••" in words(page), timeout=WAIT_MS)
    toast = window.findChildren(Toast)[0]
    QGuiApplication.clipboard().clear()
    press(page, "Copy the key")
    qtbot.waitUntil(lambda: toast.accessibleName() == "Copied", timeout=WAIT_MS)
    key = QGuiApplication.clipboard().text()
    assert key.startswith("cw-")
    assert key not in words(page)
    assert ask(address, key) == 200
    assert ask(address, "wrong") == 401
    qtbot.waitUntil(lambda: page._rows.rowCount() == 2, timeout=WAIT_MS)
    toast.dismiss()

    window = open_window()  # it was on, so it starts again
    rail = next(b for b in window.findChildren(RailButton) if b.accessibleName() == "Server")
    qtbot.waitUntil(lambda: address in rail.toolTip(), timeout=WAIT_MS)
    go_to(window, "Server")
    page = window.findChildren(ServerPage)[0]
    page.status.switch.click()
    qtbot.waitUntil(lambda: "Off. Switched on" in words(page), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: address not in rail.toolTip())


def test_a_port_that_is_taken_is_told_where_the_switch_is(
    qtbot: QtBot, open_window: Open, port: int
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        window = open_window()
        go_to(window, "Server")
        page = window.findChildren(ServerPage)[0]
        page.status.switch.click()
        qtbot.waitUntil(lambda: str(port) in words(page.status), timeout=WAIT_MS)
        qtbot.waitUntil(lambda: not page.status.switch.isChecked())


def test_a_key_that_others_could_guess_is_told_where_the_switch_is(
    qtbot: QtBot, open_window: Open, settings: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "short")
    settings.update(serve_lan=True)
    window = open_window()
    go_to(window, "Server")
    page = window.findChildren(ServerPage)[0]
    page.status.switch.click()
    qtbot.waitUntil(lambda: "5 of at least 16 characters" in words(page.status), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not page.status.switch.isChecked())


def test_a_changed_option_counts_after_a_restart(
    qtbot: QtBot, open_window: Open, port: int
) -> None:
    window = open_window()
    go_to(window, "Server")
    page = window.findChildren(ServerPage)[0]
    page.status.switch.click()
    qtbot.waitUntil(lambda: f":{port}\n" in words(page), timeout=WAIT_MS)
    page.setting_changed.emit("serve_text", True)
    qtbot.waitUntil(lambda: "Your changes count" in words(page), timeout=WAIT_MS)
    press(page, "Restart the server")
    qtbot.waitUntil(lambda: "Your changes count" not in words(page), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: f":{port}\n" in words(page), timeout=WAIT_MS)


def test_that_others_can_connect_is_said_from_the_first_moment(
    qtbot: QtBot, open_window: Open, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if loopback were the network, in which tests open no port.
    monkeypatch.setattr("ui.server.server_work.LOOPBACK_HOSTS", ())
    window = open_window()
    go_to(window, "Server")
    page = window.findChildren(ServerPage)[0]
    page.status.switch.click()
    qtbot.waitUntil(lambda: "Other computers in this network" in words(page), timeout=WAIT_MS)


def test_chats_of_programs_are_listed_as_they_come(
    qtbot: QtBot, open_window: Open, settings: SettingsFile
) -> None:
    settings.update(serve_keep_chats=True)
    window = open_window()
    assert window._opened is not None
    services = window._opened.services
    kept = services.store.create()
    services.store.add_message(kept.id, parent_id=None, role="user", text="Asked by a program")
    services.server.journal.begin(api="OpenAI", method="POST", path="/", client="x", agent="y")
    rows = window.findChildren(ConversationModel)[0]
    qtbot.waitUntil(lambda: rows.rowCount() > 0, timeout=WAIT_MS)


def test_the_example_asks_for_a_model_that_the_server_offers(
    qtbot: QtBot, open_window: Open, service: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    window = open_window()
    connect(qtbot, window, service, "Study")
    assert say(qtbot, window, "Hello").written
    go_to(window, "Server")
    page = window.findChildren(ServerPage)[0]
    qtbot.waitUntil(lambda: 'model="default"' in words(page), timeout=WAIT_MS)
    page.setting_changed.emit("serve_connections", True)
    qtbot.waitUntil(lambda: 'model="study:words"' in words(page), timeout=WAIT_MS)
