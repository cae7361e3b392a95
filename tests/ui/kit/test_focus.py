"""What the keyboard is on when a control goes away."""

import pytest
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ui.kit.focus import pass_focus_back


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    page = QWidget()
    row = QHBoxLayout(page)
    for name in ("first", "off", "strip", "last"):
        button = QPushButton(name)
        button.setObjectName(name)
        row.addWidget(button)
    row.insertWidget(2, QLabel("no stop"))
    part(page, "off").setEnabled(False)
    qtbot.addWidget(page)
    page.show()
    return page


def part(page: QWidget, name: str) -> QPushButton:
    return page.findChild(QPushButton, name)


def test_the_focus_goes_to_the_stop_before(page: QWidget) -> None:
    part(page, "strip").setFocus()
    pass_focus_back(part(page, "strip"))
    assert page.focusWidget() is part(page, "first")


def test_a_focus_elsewhere_stays(page: QWidget) -> None:
    part(page, "last").setFocus()
    pass_focus_back(part(page, "strip"))
    assert page.focusWidget() is part(page, "last")


def test_where_nothing_else_can_have_it_it_stays(page: QWidget) -> None:
    part(page, "strip").setFocus()
    pass_focus_back(page)
    assert page.focusWidget() is part(page, "strip")
