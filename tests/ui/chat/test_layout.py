"""The chat page's panels: what happens to the focus when they go."""

import pytest
from PySide6.QtWidgets import QApplication

from ui.background import Background
from ui.chat.composer_field import ComposerField
from ui.chat.layout import ChatLayout
from ui.kit import SearchField, Slider


@pytest.fixture
def layout(qtbot, theme):
    background = Background()
    layout = ChatLayout(theme, background)
    qtbot.addWidget(layout)
    layout.resize(1280, 800)
    with qtbot.waitActive(layout):
        layout.show()
        layout.activateWindow()
    yield layout
    layout.hide()
    layout.transcript.clear()
    layout.transcript._warming.stop()
    assert background.finish(10_000)


def test_the_focus_goes_to_the_composer_when_its_panel_is_hidden(layout):
    field = layout.composer.findChild(ComposerField)
    layout.inspector.findChild(Slider).setFocus()
    layout.toggle_inspector()
    assert QApplication.focusWidget() is field
    layout.list.findChild(SearchField).setFocus()
    layout.toggle_list()
    assert QApplication.focusWidget() is field
