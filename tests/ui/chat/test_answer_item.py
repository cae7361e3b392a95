"""An answer's row of actions through the life of the answer."""

from PySide6.QtCore import QObject

from app.conversations.records import Message
from ui.background import Background
from ui.chat.answer_item import AnswerItem
from ui.messages.mathematics import Formulas


def answer(text: str, **more) -> Message:
    return Message(
        id="m1", conversation_id="c", parent_id="m0", role="assistant", text=text, created=0, **more
    )


def test_the_row_of_the_last_answer_is_still_shown_when_it_is_finished(qtbot, theme):
    owner = QObject()
    item = AnswerItem(
        theme, Formulas(Background(owner), owner), answer("", status="streaming"), streaming=True
    )
    qtbot.addWidget(item)
    item.row.set_pinned(True)
    item.finish(answer("All of it."))
    assert item.row.pinned
