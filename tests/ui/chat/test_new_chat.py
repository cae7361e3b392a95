import pytest

from app.models import OfferedModel
from ui.chat.new_chat import NewChat
from ui.kit import Paragraph
from ui.theme import Theme


@pytest.mark.parametrize(
    ("leaves", "words"),
    [
        (True, "m of OpenAI answers. What you write leaves this computer and goes there."),
        (False, "m answers through OpenAI, which runs on this computer."),
    ],
)
def test_a_new_chat_says_where_it_goes(qtbot, theme: Theme, leaves: bool, words: str) -> None:
    page = NewChat(theme)
    qtbot.addWidget(page)
    model = OfferedModel(
        id="openai:m",
        name="m",
        backend="connection openai",
        model="m",
        source="OpenAI",
        leaves=leaves,
    )
    page.show_model(model, "")
    assert words in [paragraph.text() for paragraph in page.findChildren(Paragraph)]
