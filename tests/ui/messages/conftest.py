"""A view of one message, rendered by real parts."""

import pytest

from ui.background import Background
from ui.messages.mathematics import Formulas
from ui.messages.view import MessageView


@pytest.fixture
def formulas(qapp):
    background = Background()
    formulas = Formulas(background)
    yield formulas
    assert background.finish(10_000)
    formulas.deleteLater()


@pytest.fixture
def view(qtbot, theme, formulas):
    view = MessageView(theme, formulas)
    qtbot.addWidget(view)
    view.fit(640)
    view.show()
    return view
