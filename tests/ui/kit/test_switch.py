from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import Switch
from ui.theme import Theme


def test_it_is_switched_by_mouse_and_keys(theme: Theme, qtbot: QtBot) -> None:
    switch = Switch(theme, "Stay offline")
    qtbot.addWidget(switch)
    switch.show()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert switch.isChecked()
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
        before = switch.isChecked()
        qtbot.keyClick(switch, key)
        assert switch.isChecked() is not before


def test_on_is_the_accent_and_off_is_not(theme: Theme, qtbot: QtBot) -> None:
    switch = Switch(theme, "Stay offline")
    qtbot.addWidget(switch)
    accent = theme.color("accent").name()
    assert accent not in colors_in(switch.grab().toImage())
    switch.setChecked(True)
    assert accent in colors_in(switch.grab().toImage())


def test_showing_a_value_is_no_click(theme: Theme, qtbot: QtBot) -> None:
    switch = Switch(theme, "Stay offline")
    qtbot.addWidget(switch)
    with qtbot.assertNotEmitted(switch.clicked):
        switch.setChecked(True)
