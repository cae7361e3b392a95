from collections import Counter
from functools import partial

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QMainWindow,
    QPlainTextEdit,
    QScrollArea,
    QTextBrowser,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.settings.shortcuts_page import ShortcutsPage
from ui.shortcuts import shortcut, shortcuts
from ui.theme import Theme


def test_no_two_shortcuts_share_a_key_or_an_id(qapp: QApplication) -> None:
    ids = Counter(declared.id for declared in shortcuts())
    keys = Counter(key for declared in shortcuts() for key in declared.keys)
    assert {*ids.values(), *keys.values()} == {1}


def test_every_key_is_one_that_qt_knows(qapp: QApplication) -> None:
    for declared in shortcuts():
        for key in declared.keys:
            assert QKeySequence(key).count() == 1
            assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == key


def test_a_shortcut_is_found_by_its_id(qapp: QApplication) -> None:
    assert shortcut("new_chat").keys == ("Ctrl+N",)
    with pytest.raises(KeyError):
        shortcut("self_destruct")


def test_the_page_lists_them_all(theme: Theme, qtbot: QtBot) -> None:
    page = ShortcutsPage(theme)
    qtbot.addWidget(page)
    said = [label.text() for label in page.findChildren(QLabel)]
    for declared in shortcuts():
        assert declared.title in said
    assert {"Chats", "Writing", "Window", "Ctrl+N", "Ctrl+Shift+Tab", "Shift+Enter"} <= set(said)


@pytest.mark.parametrize("kind", [QPlainTextEdit, QLineEdit, QTextBrowser, QListView, QComboBox])
def test_every_shortcut_works_wherever_the_focus_is(kind: type[QWidget], qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    focused = kind()
    window.setCentralWidget(focused)
    pressed: list[str] = []
    bound = [key for declared in shortcuts() if declared.bound for key in declared.keys]
    for key in bound:
        QShortcut(QKeySequence(key), window, partial(pressed.append, key))
    window.show()
    window.activateWindow()
    focused.setFocus()
    qtbot.waitUntil(focused.hasFocus)
    for key in bound:
        combination = QKeySequence(key)[0]
        qtbot.keyClick(focused, combination.key(), combination.keyboardModifiers())
    # In a field, what was typed is taken back first.
    first = shortcut("undo_delete").keys if issubclass(kind, QPlainTextEdit | QLineEdit) else ()
    assert pressed == [key for key in bound if key not in first]


def test_the_page_can_be_scrolled_by_keys(theme: Theme, qtbot: QtBot) -> None:
    page = ShortcutsPage(theme)
    qtbot.addWidget(page)
    page.resize(700, 300)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    qtbot.keyClick(page, Qt.Key.Key_Tab)
    area = page.findChild(QScrollArea)
    assert area.hasFocus()
    assert theme.color("ring").name() in colors_in(area.grab(QRect(0, 0, 20, 20)).toImage())
    qtbot.keyClick(area, Qt.Key.Key_PageDown)
    assert area.verticalScrollBar().value() > 0
