"""A link is shown whole before it is opened, and only web and mail addresses are."""

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget

from ui.chat.links import ask_before_opening


@pytest.fixture
def page(qtbot, theme) -> QWidget:
    page = QWidget()
    qtbot.addWidget(page)
    return page


def test_the_address_is_shown_before_it_is_opened(page):
    ask_before_opening(page, "https://example.org/päth?q=1")
    box = page.findChild(QMessageBox)
    assert box.informativeText() == "https://example.org/p%C3%A4th?q=1"
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
    assert all(button.icon().isNull() for button in box.buttons())
    box.close()


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "no address"])
def test_other_addresses_are_not_even_asked_about(page, address):
    ask_before_opening(page, address)
    assert page.findChild(QMessageBox) is None
