from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.errors import Problem
from app.models import OfferedModel
from app.paths import default_paths
from app.plugins import Plugin
from app.secrets import SecretsState
from app.settings import SETTINGS, Settings
from tests.ui.tab_order import names, tab_stops
from ui.kit import NumberField, Switch
from ui.settings.settings_page import ABOUT, ENGINES, SHORTCUTS, SettingsPage
from ui.theme import Theme


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> SettingsPage:
    page = SettingsPage(theme, default_paths())
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show_settings(Settings())
    page.show()
    return page


_CONTROLS = {"choice": (QComboBox, ""), "switch": (Switch, ""), "number": (NumberField, "")}


def words(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def control(page: SettingsPage, key: str) -> QWidget:
    """The control of a setting, in view."""
    setting = next(setting for setting in SETTINGS if setting.key == key)
    page.show_section(setting.section)
    kind, name = _CONTROLS.get(setting.kind, (QLineEdit, setting.title))
    if setting.kind == "list":
        name = {"folders": "Add a folder…", "catalogues": "Address of a catalogue"}[setting.items]
        kind = QWidget
    return next(
        found
        for found in page.findChildren(kind)
        if found.accessibleName() == (name or setting.title) and found.isVisible()
    )


def type_into(field: QWidget, text: str, qtbot: QtBot) -> None:
    assert isinstance(field, QLineEdit)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def press(page: QWidget, name: str, qtbot: QtBot) -> None:
    found = next(
        button
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and button.accessibleName() == name
    )
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


HERE = [
    setting for setting in SETTINGS if setting.section != "Server"
]  # which has a page of its own


@pytest.mark.parametrize("setting", HERE, ids=lambda setting: setting.key)
def test_every_declared_setting_has_a_row(page: SettingsPage, setting: object) -> None:
    shown = next(declared for declared in SETTINGS if declared is setting)
    assert control(page, shown.key).isEnabled()
    assert f"{shown.title}\n{shown.help}" in words(page)


def test_the_values_in_force_are_shown(page: SettingsPage) -> None:
    page.show_settings(
        Settings(theme="dark", package_index="https://mirror.example", unload_after_minutes=0)
    )
    theme, index = control(page, "theme"), control(page, "package_index")
    unload = control(page, "unload_after_minutes")
    assert isinstance(theme, QComboBox)
    assert isinstance(unload, QComboBox)
    assert theme.currentText() == "Dark"
    assert unload.currentText() == "Until Causeway is closed"
    assert isinstance(index, QLineEdit)
    assert index.text() == "https://mirror.example"


def test_showing_values_changes_nothing(page: SettingsPage, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(page.setting_changed):
        page.show_settings(Settings(theme="dark", unload_after_minutes=30))


def test_a_choice_is_a_change_at_once(page: SettingsPage, qtbot: QtBot) -> None:
    combo = control(page, "theme")
    with qtbot.waitSignal(page.setting_changed) as changed:
        qtbot.keyClick(combo, Qt.Key.Key_End)
    assert changed.args == ["theme", "dark"]


def test_a_typed_value_counts_when_it_is_complete(page: SettingsPage, qtbot: QtBot) -> None:
    field = control(page, "package_index")
    with qtbot.waitSignal(page.setting_changed) as changed:
        type_into(field, " https://mirror.example ", qtbot)
    assert changed.args == ["package_index", "https://mirror.example"]


def test_a_value_that_can_not_be_is_explained_below_the_field(
    page: SettingsPage, qtbot: QtBot
) -> None:
    field = control(page, "package_index")
    with qtbot.assertNotEmitted(page.setting_changed):
        type_into(field, "http://mirror.example", qtbot)
    assert "Give one that begins with https://." in words(page)
    assert "https://" in field.accessibleDescription()
    type_into(field, "https://mirror.example", qtbot)
    assert "Give an address that begins" not in words(page)


def test_a_setting_that_could_not_be_saved_says_so(page: SettingsPage) -> None:
    page.show_section("Models")
    page.show_refused("models_folder", Problem("It could not be saved.", "The disk is full.", ""))
    assert "It could not be saved. The disk is full." in words(page)


def test_a_folder_can_be_chosen(page: SettingsPage, qtbot: QtBot, tmp_path: Path) -> None:
    control(page, "models_folder")
    press(page, "Change…", qtbot)
    dialog = page.findChild(QFileDialog)
    with qtbot.waitSignal(page.setting_changed) as changed:
        dialog.fileSelected.emit(str(tmp_path))
    assert changed.args == ["models_folder", str(tmp_path)]
    dialog.close()


def test_places_can_be_walked_with_the_keyboard(page: SettingsPage, qtbot: QtBot) -> None:
    press(page, "Appearance", qtbot)
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Down)
    assert "Models folder" in words(page)


def test_the_shortcuts_are_a_place_of_their_own(page: SettingsPage) -> None:
    page.show_section(SHORTCUTS)
    assert "New chat" in words(page)


def test_about_tells_versions_and_where_the_data_is(page: SettingsPage, qtbot: QtBot) -> None:
    page.show_section(ABOUT)
    assert "MIT" in words(page)
    assert "PySide6" in words(page)
    assert str(default_paths().home) in words(page)
    with qtbot.waitSignal(page.folder_requested) as asked:
        press(page, "Open the folder", qtbot)
    assert asked.args == [default_paths().home]


def test_versions_can_be_copied_for_a_report(page: SettingsPage, qtbot: QtBot) -> None:
    page.show_section(ABOUT)
    press(page, "Copy for a report", qtbot)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("Causeway ")
    assert "llama-cpp-python " in text


def test_the_tab_key_stops_at_one_place_and_then_at_its_rows(page: SettingsPage) -> None:
    page.show_section("Network")
    assert names(tab_stops(page)) == [
        "Network",
        "Stay offline",
        "Hub address",
        "Access token",
        "Save the token",
        "Package index",
        "Proxy",
        "Downloads at a time",
        "Download speed",
    ]


def test_a_switch_is_a_change_at_once(page: SettingsPage, qtbot: QtBot) -> None:
    switch = control(page, "offline")
    with qtbot.waitSignal(page.setting_changed) as changed:
        qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert changed.args == ["offline", True]
    page.show_settings(Settings(offline=False))
    assert not switch.isChecked()


def test_a_number_counts_when_it_is_complete(page: SettingsPage, qtbot: QtBot) -> None:
    field = control(page, "download_limit")
    assert field.text() == "No limit"
    field.setFocus()
    field.selectAll()
    with qtbot.assertNotEmitted(page.setting_changed):
        qtbot.keyClicks(field, "25")
    with qtbot.waitSignal(page.setting_changed) as changed:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert changed.args == ["download_limit", 25]
    assert field.text() == "25 MB/s"


def test_folders_are_added_and_taken_away(page: SettingsPage, qtbot: QtBot, tmp_path: Path) -> None:
    control(page, "model_folders")
    press(page, "Add a folder…", qtbot)
    dialog = page.findChild(QFileDialog)
    with qtbot.waitSignal(page.setting_changed) as changed:
        dialog.fileSelected.emit(str(tmp_path))
    dialog.close()
    assert changed.args == ["model_folders", (str(tmp_path),)]
    QApplication.processEvents()
    assert str(tmp_path) in words(page)
    with qtbot.waitSignal(page.setting_changed) as changed:
        press(page, f"Take {tmp_path} off the list", qtbot)
    assert changed.args == ["model_folders", ()]
    QApplication.processEvents()
    assert str(tmp_path) not in words(page)


def test_a_catalogue_is_added_by_its_address_and_tells_what_is_wrong(
    page: SettingsPage, qtbot: QtBot
) -> None:
    field = control(page, "catalogues")
    with qtbot.assertNotEmitted(page.setting_changed):
        type_into(field, "http://models.example/c.json", qtbot)
    assert "can't be used as a catalogue" in words(page)
    with qtbot.waitSignal(page.setting_changed) as changed:
        type_into(field, "https://models.example/c.json", qtbot)
    assert changed.args == ["catalogues", ("https://models.example/c.json",)]
    assert field.text() == ""
    page.show_notes("catalogues", {"https://models.example/c.json": "It can't be reached."})
    QApplication.processEvents()
    assert "https://models.example/c.json\nIt can't be reached." in words(page)


def test_where_keys_are_kept_is_told_and_changed(page: SettingsPage, qtbot: QtBot) -> None:
    page.show_section("Network")
    page.keys.show_state(SecretsState(place="keyring", usable=False, reason="No keyring answers."))
    assert "None answers" in words(page)
    assert "No keyring answers." in words(page)
    with qtbot.waitSignal(page.keys.file_requested):
        press(page, "Use a sealed file…", qtbot)
    page.keys.show_state(SecretsState(place="file", usable=False, locked=True, file_exists=True))
    assert "Locked" in words(page)
    assert "No keyring answers." not in words(page)
    with qtbot.waitSignal(page.keys.unlock_requested):
        press(page, "Unlock the keys", qtbot)
    page.keys.show_state(SecretsState(place="file", usable=True, file_exists=True))
    assert "Sealed file" in words(page)
    with qtbot.waitSignal(page.keys.keyring_requested):
        press(page, "Use the keyring", qtbot)


def test_a_broken_plug_in_is_listed_with_its_error(page: SettingsPage) -> None:
    page.show_section(ENGINES)
    assert "None is installed" in words(page)
    offered = OfferedModel(
        id="parrot:polly",
        name="Polly",
        backend="parrot",
        model="polly",
        source="parrot",
        leaves=True,
    )
    page.engines.show_plugins(
        (
            Plugin(name="parrot", package="causeway-parrot", local=False, models=(offered,)),
            Plugin(name="broken", error="ImportError: <b>No module</b>"),
        )
    )
    QApplication.processEvents()
    shown = words(page)
    assert "None is installed" not in shown
    assert "causeway-parrot · 1 model\nWhat you write leaves this computer." in shown
    assert "Can't be used" in shown
    assert "ImportError: <b>No module</b>" in shown


def test_a_setting_that_is_changed_elsewhere_leaves_a_token_that_is_typed(
    page: SettingsPage, qtbot: QtBot
):
    field = next(f for f in page.findChildren(QLineEdit) if f.accessibleName() == "Access token")
    field.setText("hf_half")
    page.show_setting("offline", Settings(offline=True))
    assert field.text() == "hf_half"
    page.show_setting("has_hub_token", Settings(has_hub_token=True))
    assert field.text() == ""


def test_a_token_is_kept_tested_replaced_and_removed_but_never_shown(
    page: SettingsPage, qtbot: QtBot
) -> None:
    page.show_section("Network")
    field = next(f for f in page.findChildren(QLineEdit) if f.accessibleName() == "Access token")
    assert field.echoMode() == QLineEdit.EchoMode.Password
    with qtbot.waitSignal(page.token.submitted) as submitted:
        type_into(field, " hf_secret ", qtbot)
    assert submitted.args == ["hf_secret"]
    page.show_settings(Settings(has_hub_token=True))
    assert field.text() == ""
    assert not field.isVisible()
    with qtbot.waitSignal(page.token.test_requested):
        press(page, "Test the token", qtbot)
    page.token.show_done("It works.")
    assert "It works." in words(page)
    press(page, "Replace the token", qtbot)
    assert field.isVisible()
    press(page, "Save the token", qtbot)
    with qtbot.waitSignal(page.token.remove_requested):
        press(page, "Remove the token", qtbot)
