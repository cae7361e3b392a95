"""Asking for a passphrase, and what becomes of the file that it seals."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.secrets import Secrets
from app.settings_file import SettingsFile
from ui.background import Background
from ui.keys.key_places import KeyPlaces
from ui.keys.passphrase_dialog import PassphraseDialog, Purpose
from ui.theme import Theme

PASSPHRASE = "a long enough phrase"
WAIT_MS = 60_000


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(SettingsFile(tmp_path / "settings.json"), tmp_path / "secrets")


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    assert background.finish(10_000)
    background.deleteLater()


@pytest.fixture
def places(theme: Theme, background: Background, secrets: Secrets) -> Iterator[KeyPlaces]:
    places = KeyPlaces(theme, background, secrets)
    yield places
    places.deleteLater()


def dialog_of(theme: Theme, qtbot: QtBot, purpose: Purpose) -> PassphraseDialog:
    dialog = PassphraseDialog(theme, purpose)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def fields(dialog: QWidget) -> list[QLineEdit]:
    return [field for field in dialog.findChildren(QLineEdit) if field.isVisible()]


def go_on(dialog: QWidget, words: str) -> QAbstractButton:
    return next(b for b in dialog.findChildren(QAbstractButton) if b.text() == words)


def words(dialog: QWidget) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_a_new_passphrase_is_typed_twice_and_unseen(theme: Theme, qtbot: QtBot) -> None:
    dialog = dialog_of(theme, qtbot, "make")
    first, second = fields(dialog)
    assert {field.echoMode() for field in (first, second)} == {QLineEdit.EchoMode.Password}
    qtbot.keyClicks(first, PASSPHRASE)
    assert not go_on(dialog, "Make the file").isEnabled()
    qtbot.keyClicks(second, "something else")
    with qtbot.assertNotEmitted(dialog.given):
        qtbot.keyClick(second, Qt.Key.Key_Return)
    assert "The two are not the same." in words(dialog)
    assert first.text() == second.text() == ""
    qtbot.keyClicks(first, PASSPHRASE)
    qtbot.keyClicks(second, PASSPHRASE)
    with qtbot.waitSignal(dialog.given) as given:
        qtbot.keyClick(second, Qt.Key.Key_Return)
    assert given.args == [PASSPHRASE]


def test_one_that_is_there_is_asked_for_once(theme: Theme, qtbot: QtBot) -> None:
    dialog = dialog_of(theme, qtbot, "unlock")
    (field,) = fields(dialog)
    qtbot.keyClicks(field, "wrong")
    with qtbot.waitSignal(dialog.given):
        go_on(dialog, "Unlock").click()
    assert not field.isEnabled()
    dialog.show_problem("The passphrase is wrong.")
    assert "The passphrase is wrong." in words(dialog)
    assert field.isEnabled()
    assert field.text() == ""


def test_a_file_is_made_and_keys_move_into_it(
    theme: Theme, qtbot: QtBot, places: KeyPlaces, secrets: Secrets
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(places.changed, timeout=WAIT_MS) as changed:
        places.read()
    assert not changed.args[0].usable  # the tests have no keyring
    places.ask_for_file(window)
    dialog = window.findChild(PassphraseDialog)
    for field in fields(dialog):
        qtbot.keyClicks(field, "short")
    go_on(dialog, "Make the file").click()
    qtbot.waitUntil(lambda: "too short" in words(dialog), timeout=WAIT_MS)
    for field in fields(dialog):
        qtbot.keyClicks(field, PASSPHRASE)
    with qtbot.waitSignal(places.changed, timeout=WAIT_MS) as changed:
        go_on(dialog, "Make the file").click()
    assert changed.args[0].place == "file"
    assert changed.args[0].usable
    secrets.write("x", "y")
    assert secrets.read("x") == "y"


def test_a_file_that_is_locked_is_unlocked(
    theme: Theme,
    qtbot: QtBot,
    background: Background,
    tmp_path: Path,
    secrets: Secrets,
) -> None:
    secrets.use_file(PASSPHRASE)
    secrets.write("x", "y")
    settings = SettingsFile(tmp_path / "settings.json")
    settings.load()
    later = Secrets(settings, tmp_path / "secrets")
    places = KeyPlaces(theme, background, later)
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(places.changed, timeout=WAIT_MS) as changed:
        places.read()
    assert changed.args[0].locked
    places.ask_to_unlock(window)
    dialog = window.findChild(PassphraseDialog)
    qtbot.keyClicks(fields(dialog)[0], "not this one")
    go_on(dialog, "Unlock").click()
    qtbot.waitUntil(lambda: "wrong" in words(dialog), timeout=WAIT_MS)
    qtbot.keyClicks(fields(dialog)[0], PASSPHRASE)
    with qtbot.waitSignal(places.changed, timeout=WAIT_MS) as changed:
        go_on(dialog, "Unlock").click()
    assert changed.args[0].usable
    assert later.read("x") == "y"


def test_a_keyring_that_does_not_answer_is_refused_in_words(
    qtbot: QtBot, places: KeyPlaces
) -> None:
    with qtbot.waitSignal(places.refused, timeout=WAIT_MS) as refused:
        places.use_keyring()
    assert "keyring" in refused.args[0].sentence()
