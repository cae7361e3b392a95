"""The dialog that connects a service: nothing is sent before it is complete, and no key is shown again."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.connections.connections import PROVIDERS, Provider, provider_of
from app.connections.records import Connection
from app.secrets import SecretsState
from tests.ui.tab_order import names, tab_stops
from ui.models.services.service_dialog import ServiceDialog, ServiceDraft
from ui.theme import Theme

NO_KEYRING = SecretsState(place="keyring", usable=False, reason="None answers.")
KEPT = Connection(
    id="openai",
    provider="openai",
    title="Work",
    url="https://api.openai.com/v1",
    key_place="stored",
)


class Opener:
    def __init__(self, theme: Theme, qtbot: QtBot) -> None:
        self._theme, self._qtbot = theme, qtbot

    def __call__(self, provider: str, connection: Connection | None = None) -> ServiceDialog:
        dialog = ServiceDialog(self._theme, provider_of(provider), connection)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._qtbot.addWidget(dialog)
        dialog.show()
        return dialog


@pytest.fixture
def open_dialog(theme: Theme, qtbot: QtBot) -> Opener:
    return Opener(theme, qtbot)


def field(dialog: QWidget, name: str) -> QLineEdit:
    return next(f for f in dialog.findChildren(QLineEdit) if f.accessibleName() == name)


def button(dialog: QWidget, name: str) -> QAbstractButton:
    return next(b for b in dialog.findChildren(QAbstractButton) if b.text() == name)


def choose_place(dialog: QWidget, place: str) -> None:
    combo = next(iter(dialog.findChildren(QComboBox)))
    combo.setCurrentIndex(combo.findData(place))


def words(dialog: QWidget) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
def test_it_says_where_everything_goes_before_anything_is_sent(
    open_dialog: Opener, provider: Provider
) -> None:
    dialog = open_dialog(provider.id)
    assert provider.privacy in words(dialog)


def test_a_paid_service_waits_for_its_key(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("openai")
    assert not button(dialog, "Connect").isEnabled()
    key = field(dialog, "Key")
    assert key.echoMode() == QLineEdit.EchoMode.Password
    assert dialog.focusWidget() is key
    qtbot.keyClicks(key, " sk-secret ")
    with qtbot.waitSignal(dialog.submitted) as submitted:
        button(dialog, "Connect").click()
    draft = submitted.args[0]
    assert draft == ServiceDraft(
        provider="openai",
        title="",
        url="https://api.openai.com/v1",
        key_place="stored",
        key="sk-secret",
    )
    assert "sk-secret" not in repr(draft)


@pytest.mark.parametrize("name", ["Address", "Name", "Key"])
def test_enter_connects_from_every_field(open_dialog: Opener, qtbot: QtBot, name: str) -> None:
    dialog = open_dialog("openai")
    qtbot.keyClicks(field(dialog, "Key"), "sk-secret")
    with qtbot.waitSignal(dialog.submitted):
        qtbot.keyClick(field(dialog, name), Qt.Key.Key_Return)


def test_a_variable_of_the_environment_is_as_good(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("openai")
    qtbot.keyClicks(field(dialog, "Key"), "sk-secret")
    choose_place(dialog, "variable")
    assert field(dialog, "Name of the variable").text() == "OPENAI_API_KEY"
    with qtbot.waitSignal(dialog.submitted) as submitted:
        button(dialog, "Connect").click()
    assert submitted.args[0].variable == "OPENAI_API_KEY"
    assert submitted.args[0].key == ""


def test_where_no_keyring_answers_a_typed_key_is_not_taken(
    open_dialog: Opener, qtbot: QtBot
) -> None:
    dialog = open_dialog("openai")
    qtbot.keyClicks(field(dialog, "Key"), "sk-secret")
    dialog.key.show_secrets(NO_KEYRING)
    assert "Keys can't be kept in the keyring." in words(dialog)
    assert not button(dialog, "Connect").isEnabled()
    with qtbot.waitSignal(dialog.key.file_requested):
        button(dialog, "Use a sealed file…").click()
    choose_place(dialog, "variable")
    assert "Keys can't be kept" not in words(dialog)
    assert button(dialog, "Connect").isEnabled()
    choose_place(dialog, "stored")
    dialog.key.show_secrets(SecretsState(place="file", usable=False, locked=True))
    with qtbot.waitSignal(dialog.key.unlock_requested):
        button(dialog, "Unlock…").click()
    dialog.key.show_secrets(SecretsState(place="file", usable=True))
    assert button(dialog, "Connect").isEnabled()


def test_a_program_on_this_computer_needs_no_key(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("ollama")
    with qtbot.waitSignal(dialog.submitted) as submitted:
        button(dialog, "Connect").click()
    assert submitted.args[0].key_place == "none"


def test_a_service_that_wants_a_key_after_all_gets_a_field_for_it(
    open_dialog: Opener, qtbot: QtBot
) -> None:
    dialog = open_dialog("ollama")
    button(dialog, "Connect").click()
    dialog.show_problem("Ollama wants a key.", of_the_key=True)
    assert "Ollama wants a key." in words(dialog)
    assert dialog.focusWidget() is field(dialog, "Key")
    assert field(dialog, "Key").isVisible()


def test_a_service_of_ones_own_waits_for_its_address(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("custom")
    assert dialog.focusWidget() is field(dialog, "Address")
    assert not button(dialog, "Connect").isEnabled()
    qtbot.keyClicks(field(dialog, "Address"), "http://nas.local:8080/v1")
    with qtbot.waitSignal(dialog.submitted):
        qtbot.keyClick(field(dialog, "Address"), Qt.Key.Key_Return)


def test_a_key_that_is_kept_is_never_shown_and_may_stay(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("openai", KEPT)
    assert dialog.windowTitle() == "Change Work"
    assert field(dialog, "Key").text() == ""
    assert "kept" in field(dialog, "Key").placeholderText()
    with qtbot.waitSignal(dialog.submitted) as submitted:
        button(dialog, "Save and test").click()
    assert submitted.args[0].key == ""
    assert submitted.args[0].key_place == "stored"


def test_nothing_can_be_changed_while_it_is_asked(open_dialog: Opener) -> None:
    dialog = open_dialog("ollama")
    button(dialog, "Connect").click()
    assert not button(dialog, "Connect").isEnabled()
    assert not field(dialog, "Address").isEnabled()
    dialog.show_problem("It can't be reached.")
    assert button(dialog, "Connect").isEnabled()
    assert "It can't be reached." in words(dialog)
    assert "It stays in your list" not in words(dialog)


def test_one_that_does_not_answer_stays_connected_and_can_be_tried_again(
    open_dialog: Opener, qtbot: QtBot
) -> None:
    dialog = open_dialog("openai")
    qtbot.keyClicks(field(dialog, "Key"), "sk-wrong")
    button(dialog, "Connect").click()
    dialog.show_connected(KEPT)
    assert field(dialog, "Key").text() == ""
    dialog.show_problem("OpenAI refuses the key.", of_the_key=True)
    assert "OpenAI refuses the key. It stays in your list" in words(dialog)
    assert dialog.focusWidget() is field(dialog, "Key")
    assert "refuses" in field(dialog, "Key").accessibleDescription()
    assert button(dialog, "Try again").isEnabled()
    assert button(dialog, "Close").isEnabled()


def test_links_are_told_not_opened(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("openai")
    for name, address in (
        ("Get a key", provider_of("openai").key_page),
        ("What they say of privacy", provider_of("openai").privacy_page),
    ):
        with qtbot.waitSignal(dialog.link_activated) as activated:
            button(dialog, name).click()
        assert activated.args == [address]


def test_the_tab_key_goes_from_above_to_below(open_dialog: Opener, qtbot: QtBot) -> None:
    dialog = open_dialog("openai")
    qtbot.keyClicks(field(dialog, "Key"), "sk")
    stops = names(tab_stops(dialog))
    start = stops.index("What they say of privacy")
    assert stops[start:] + stops[:start] == [
        "What they say of privacy",
        "Address",
        "Name",
        "Where the key comes from",
        "Key",
        "Get a key",
        "Cancel",
        "Connect",
    ]
