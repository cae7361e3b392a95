from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAccessible, QEnterEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import Button, IconButton, PaintedButton
from ui.kit.buttons import ButtonKind
from ui.theme import Theme


def pixels(widget: QWidget) -> set[str]:
    return colors_in(widget.grab().toImage())


@pytest.fixture
def pair(theme: Theme, qtbot: QtBot) -> Iterator[tuple[PaintedButton, PaintedButton]]:
    """Two buttons in one window, the first of which has the focus, without a ring."""
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    first, second = Button(theme, "First"), Button(theme, "Second")
    column.addWidget(first)
    column.addWidget(second)
    window.show()
    window.activateWindow()
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    qtbot.waitUntil(first.hasFocus)
    yield first, second
    window.hide()


def test_the_ring_shows_only_for_the_keyboard(
    pair: tuple[PaintedButton, PaintedButton], theme: Theme, qtbot: QtBot
) -> None:
    first, second = pair
    ring = theme.color("ring").name()
    assert ring not in pixels(first)
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert second.hasFocus()
    assert ring in pixels(second)
    second.clearFocus()
    assert ring not in pixels(second)


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_a_button_can_be_pressed_by_key(
    pair: tuple[PaintedButton, PaintedButton], qtbot: QtBot, key: Qt.Key
) -> None:
    with qtbot.waitSignal(pair[0].clicked):
        qtbot.keyClick(pair[0], key)


@pytest.mark.parametrize("kind", ["normal", "primary", "soft", "ghost", "link", "danger"])
def test_each_state_looks_different(theme: Theme, qtbot: QtBot, kind: ButtonKind) -> None:
    button = Button(theme, "Retry", kind, icon="arrow-clockwise")
    qtbot.addWidget(button)
    rest = button.grab().toImage()
    button.setDown(True)
    pressed = button.grab().toImage()
    button.setDown(False)
    button.setEnabled(False)
    off = button.grab().toImage()
    assert rest != pressed != off != rest


def test_a_button_notices_the_pointer(theme: Theme, qtbot: QtBot) -> None:
    button = Button(theme, "Retry", "primary")
    qtbot.addWidget(button)
    button.show()
    middle = QPointF(button.rect().center())
    button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    button.enterEvent(QEnterEvent(middle, middle, middle))
    assert button.state == "hover"
    assert theme.color("accent_hover").name() in pixels(button)


def test_a_button_is_as_wide_as_its_words(theme: Theme, qtbot: QtBot) -> None:
    button = Button(theme, "Send", "primary")
    qtbot.addWidget(button)
    before = button.sizeHint().width()
    button.set_words("Stop the answer", icon="stop-fill", hint="Esc")
    assert button.sizeHint().width() > before + 40
    assert button.accessibleName() == "Stop the answer"


def test_an_icon_button_has_a_name_and_a_tooltip(theme: Theme, qtbot: QtBot) -> None:
    button = IconButton(theme, "copy-simple", "Copy the answer")
    qtbot.addWidget(button)
    assert button.toolTip() == "Copy the answer"
    interface = QAccessible.queryAccessibleInterface(button)
    assert interface.text(QAccessible.Text.Name) == "Copy the answer"
    assert interface.role() == QAccessible.Role.Button


def test_a_checked_icon_button_is_tinted(theme: Theme, qtbot: QtBot) -> None:
    button = IconButton(theme, "sliders-horizontal", "Inspector", checkable=True)
    qtbot.addWidget(button)
    assert theme.color("selected").name() not in pixels(button)
    button.click()
    assert theme.color("selected").name() in pixels(button)


def test_a_disabled_button_stays_silent(theme: Theme, qtbot: QtBot) -> None:
    button = Button(theme, "Retry")
    qtbot.addWidget(button)
    button.setEnabled(False)
    with qtbot.assertNotEmitted(button.clicked):
        button.click()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
