"""The preset of a chat in the inspector's header."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.presets import PRESETS
from ui.chat.inspector import Inspector
from ui.chat.option_help import HelpLine
from ui.chat.preset_button import PresetButton


@pytest.fixture
def inspector(qtbot, theme):
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    inspector.resize(300, 700)
    inspector.show()
    return inspector


@pytest.fixture
def button(inspector) -> PresetButton:
    return inspector.findChild(PresetButton)


def action(button: PresetButton, title: str):
    return next(each for each in button.menu.actions() if each.text() == title)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_the_preset_in_force_is_named_and_marked(inspector, button, preset):
    inspector.show_options(preset.options, {})
    assert button.text() == f"Preset: {preset.title}"
    assert [a.text() for a in button.menu.actions() if a.isChecked()] == [preset.title]


def test_other_settings_are_a_preset_of_ones_own(inspector, button):
    inspector.show_options({"temperature": 0.33}, {})
    assert button.text() == "Preset: Custom"
    assert not any(a.isChecked() for a in button.menu.actions())


def test_the_makers_advice_is_what_balanced_means(inspector, button):
    inspector.show_options({"temperature": 0.33}, {"temperature": 0.33})
    assert button.text() == "Preset: Balanced"


def test_a_preset_is_chosen_once(qtbot, inspector, button):
    inspector.show_options({}, {})
    chosen: list[str] = []
    inspector.preset_chosen.connect(chosen.append)
    action(button, "Creative").trigger()
    action(button, "Balanced").trigger()
    assert chosen == ["creative"]
    assert action(button, "Balanced").isChecked()


def test_the_menu_opens_by_key_and_explains_a_preset_below(qtbot, inspector, button):
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert button.menu.isVisible()
    qtbot.keyClick(button.menu, Qt.Key.Key_Down)
    words = inspector.findChild(HelpLine).findChild(QLabel).text()
    assert words == f"Precise. {PRESETS[0].help}"
    qtbot.keyClick(button.menu, Qt.Key.Key_Escape)
    assert "Point at one" in inspector.findChild(HelpLine).findChild(QLabel).text()
