"""An answer's row of actions through the life of the answer."""

from PySide6.QtCore import QObject

from app.conversations.records import Message, Origin
from ui.background import Background
from ui.chat.answer_item import AnswerItem
from ui.kit import Button
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


def failed(qtbot, theme, backend: str) -> AnswerItem:
    owner = QObject()
    origin = Origin(model_id="openai:gpt", model_name="gpt", backend=backend)
    message = answer("", status="interrupted", problem="OpenAI refuses the key.", origin=origin)
    item = AnswerItem(theme, Formulas(Background(owner), owner), message)
    qtbot.addWidget(item)
    return item


def test_where_a_service_failed_there_is_a_way_to_it(qtbot, theme):
    item = failed(qtbot, theme, "connection openai")
    button = next(b for b in item.findChildren(Button) if b.text() == "Open services")
    with qtbot.waitSignal(item.acted) as acted:
        button.click()
    assert acted.args == ["services", "m1"]


def test_where_our_own_engine_failed_there_is_none(qtbot, theme):
    item = failed(qtbot, theme, "llama_cpp")
    assert [b.text() for b in item.findChildren(Button)] == ["Retry"]
