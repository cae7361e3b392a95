"""A button that opens a menu, and the menu's own look."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in, contrast
from ui.kit import MenuButton
from ui.theme import Preference, Theme


@pytest.fixture
def button(theme: Theme, qtbot: QtBot) -> MenuButton:
    button = MenuButton(theme, "Preset: Balanced")
    qtbot.addWidget(button)
    for title in ("Precise", "Balanced"):
        button.menu.addAction(title).setCheckable(True)
    button.show()
    return button


def test_it_is_as_wide_as_its_words(button: MenuButton) -> None:
    before = button.sizeHint().width()
    button.set_words("Preset: Something longer")
    assert button.sizeHint().width() > before
    assert button.accessibleName() == "Preset: Something longer"


def test_the_menu_opens_with_its_right_edge_below_the_buttons(
    button: MenuButton, qtbot: QtBot
) -> None:
    button.move(400, 100)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert button.menu.isVisible()
    edge = button.mapToGlobal(button.rect().bottomRight())
    assert abs(button.menu.geometry().right() - edge.x()) <= 1
    assert button.menu.geometry().top() > edge.y()
    button.menu.close()


@pytest.mark.parametrize("name", ["light", "dark"])
def test_what_is_chosen_has_a_mark_that_is_seen(
    button: MenuButton, theme: Theme, name: Preference
) -> None:
    theme.set_preference(name)
    menu = button.menu
    menu.adjustSize()
    row = menu.actionGeometry(menu.actions()[0])
    mark = row.adjusted(6, 0, -(row.width() - 24), 0)
    (ground,) = colors_in(menu.grab(mark).toImage())
    menu.actions()[0].setChecked(True)
    seen = [QColor(color) for color in colors_in(menu.grab(mark).toImage())]
    assert max(contrast(color, QColor(ground)) for color in seen) >= 7
    theme.set_preference("light")
