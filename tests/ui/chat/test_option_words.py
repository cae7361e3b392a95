import pytest

from app.conversations.records import Message, Origin
from app.options import Value, option
from ui.chat.message_words import details
from ui.chat.option_words import option_words


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("temperature", 0.7, "0.70"),
        ("temperature", 1, "1.00"),
        ("top_k", 40, "40"),
        ("n_ctx", 16384, "16,384"),
        ("n_ctx", 0, "As the model, up to 8,192"),
        ("system_prompt", "Be brief.", "Be brief."),
    ],
)
def test_a_value_is_shown_by_its_name_or_as_a_number(key: str, value: Value, words: str) -> None:
    assert option_words(option(key), value) == words


def test_the_details_of_an_answer_show_its_settings_alike() -> None:
    origin = Origin(options={"temperature": 0.7, "n_ctx": 0, "threads": 3, "seed": 5})
    answer = Message(
        id="a",
        conversation_id="c",
        parent_id=None,
        role="assistant",
        text="Hello.",
        created=0,
        origin=origin,
    )
    shown = dict(details(answer))
    assert shown["Temperature"] == "0.70"
    assert shown["Context length"] == "As the model, up to 8,192"
    assert "Threads" not in shown
