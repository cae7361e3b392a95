from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.kit import Toast, toast
from ui.theme import Theme


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(600, 400)
    QVBoxLayout(page).addWidget(QLineEdit())
    page.show()
    return page


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toast, "_SHOWN_MS", 30)


@pytest.fixture
def message(theme: Theme, page: QWidget) -> Iterator[Toast]:
    message = Toast(theme, page)
    yield message
    message.dismiss()


def button(message: Toast, name: str) -> QAbstractButton:
    return next(
        found for found in message.findChildren(QAbstractButton) if found.accessibleName() == name
    )


def test_it_sits_at_the_bottom_in_the_middle_also_after_a_resize(
    message: Toast, page: QWidget
) -> None:
    message.show_message("Chat deleted", lambda: None)
    assert abs(message.geometry().center().x() - page.rect().center().x()) <= 1
    page.resize(800, 500)
    QApplication.processEvents()
    assert abs(message.geometry().center().x() - page.rect().center().x()) <= 1
    assert message.geometry().bottom() < 500


def test_it_stands_above_what_a_person_writes_in_however_high_that_grows(
    message: Toast, page: QWidget
) -> None:
    field = page.findChild(QLineEdit)
    page.layout().setAlignment(field, Qt.AlignmentFlag.AlignBottom)
    message.stand_above(field)
    message.show_message("Copied")
    field.setFixedHeight(200)
    QApplication.processEvents()
    assert message.geometry().bottom() < field.geometry().top()
    field.hide()
    assert message.geometry().bottom() > 300


def test_the_keyboard_goes_back_to_what_it_stands_above(
    message: Toast, page: QWidget, qtbot: QtBot
) -> None:
    field = page.findChild(QLineEdit)
    message.stand_above(field)
    page.activateWindow()
    message.show_message("Chat deleted", lambda: None)
    undo = button(message, "Undo")
    undo.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(undo.hasFocus)
    qtbot.keyClick(undo, Qt.Key.Key_Space)
    assert field.hasFocus()


def test_undo_happens_once(message: Toast, qtbot: QtBot) -> None:
    undone: list[str] = []
    message.show_message("Chat deleted", lambda: undone.append("chat"))
    qtbot.mouseClick(button(message, "Undo"), Qt.MouseButton.LeftButton)
    message.act()
    assert undone == ["chat"]
    assert message.isHidden()


def test_without_a_way_back_there_is_no_undo(message: Toast) -> None:
    message.show_message("Copied")
    assert button(message, "Undo").isHidden()


def test_a_closed_message_takes_nothing_back(message: Toast, qtbot: QtBot) -> None:
    undone: list[str] = []
    message.show_message("Chat deleted", lambda: undone.append("chat"))
    qtbot.mouseClick(button(message, "Close"), Qt.MouseButton.LeftButton)
    message.act()
    assert undone == []


def test_it_goes_by_itself(brief: None, message: Toast, qtbot: QtBot) -> None:
    message.show_message("Chat deleted", lambda: None)
    qtbot.waitUntil(message.isHidden)


def test_it_stays_while_the_pointer_is_on_it(brief: None, message: Toast, qtbot: QtBot) -> None:
    message.show_message("Chat deleted", lambda: None)
    QApplication.sendEvent(message, enter(message))
    qtbot.wait(90)
    assert message.isVisible()
    QApplication.sendEvent(message, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(message.isHidden)


def test_it_stays_while_the_keyboard_is_on_it(
    brief: None, message: Toast, page: QWidget, qtbot: QtBot
) -> None:
    page.activateWindow()
    message.show_message("Chat deleted", lambda: None)
    undo = button(message, "Undo")
    undo.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(undo.hasFocus)
    qtbot.wait(90)
    assert message.isVisible()
    stopped: list[str] = []
    QShortcut(QKeySequence("Esc"), page, lambda: stopped.append("the answer"))
    qtbot.keyClick(undo, Qt.Key.Key_Escape)
    assert message.isHidden()
    assert stopped == []


def test_the_next_message_takes_the_place_of_the_last(message: Toast) -> None:
    undone: list[str] = []
    message.show_message("First deleted", lambda: undone.append("first"))
    message.show_message("Second deleted", lambda: undone.append("second"))
    message.act()
    assert undone == ["second"]


def enter(widget: QWidget) -> QEvent:
    middle = QPointF(widget.rect().center())
    return QEnterEvent(middle, middle, middle)


def test_a_longer_message_after_a_short_one_is_as_high_as_its_lines(
    message: Toast, theme: Theme, page: QWidget
) -> None:
    message.show_message("Copied")
    short = message.height()
    message.show_message("Copied and put away, with a good many words more " * 2)
    assert message.height() <= short + theme.line_height("body")
