import pytest

from app.conversations.records import Message, Origin, UsedAdapter
from app.options import Value, option
from ui.chat.message_words import details, summary
from ui.chat.option_words import option_words


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("temperature", 0.7, "0.70"),
        ("temperature", 1, "1.00"),
        ("top_k", 40, "40"),
        ("n_ctx", 16384, "16,384"),
        ("n_ctx", 0, "As trained, up to 8,192"),
        ("system_prompt", "Be brief.", "Be brief."),
        ("mirostat", 2, "Mirostat 2"),
        ("mirostat", 0, "Off"),
        ("cache_type", "q8_0", "8 bits"),
        ("lookup", 1, "On"),
        ("mmap", 0, "Off"),
    ],
)
def test_a_value_is_shown_by_its_name_or_as_a_number(key: str, value: Value, words: str) -> None:
    assert option_words(option(key), value) == words


def answer(origin: Origin) -> Message:
    return Message(
        id="a",
        conversation_id="c",
        parent_id=None,
        role="assistant",
        text="Hello.",
        created=0,
        origin=origin,
    )


def test_the_details_of_an_answer_show_its_settings_alike() -> None:
    origin = Origin(options={"temperature": 0.7, "n_ctx": 0, "threads": 3, "seed": 5})
    shown = dict(details(answer(origin)))
    assert shown["Temperature"] == "0.70"
    assert shown["Context length"] == "As trained, up to 8,192"
    assert "Threads" not in shown


def test_the_details_show_of_the_rest_only_what_differs() -> None:
    options: dict[str, Value] = {"mirostat": 2, "typical_p": 1.0, "answer_format": "json_schema"}
    shown = dict(details(answer(Origin(options={**options, "answer_schema": "{}" * 999}))))
    assert shown["Mirostat"] == "Mirostat 2"
    assert shown["Format"] == "JSON schema"
    assert not {"Typical-p", "JSON schema"} & shown.keys()


@pytest.mark.parametrize(
    ("scales", "words"),
    [
        ((), "Tiny"),
        ((0.8,), "Tiny + a0 0.8"),
        ((1.0,), "Tiny + a0"),
        ((1.0, -0.5), "Tiny + 2 adapters"),
    ],
)
def test_the_summary_names_the_adapters(scales: tuple[float, ...], words: str) -> None:
    adapters = tuple(UsedAdapter(f"a{n}", f"a{n}", "ff", scale) for n, scale in enumerate(scales))
    assert summary(answer(Origin(model_name="Tiny", adapters=adapters))) == words


def test_the_details_name_each_adapter_with_its_hash() -> None:
    adapters = (UsedAdapter("a", "terse", "ab", 0.8), UsedAdapter("b", "tutor", "cd", 1.0))
    rows = details(answer(Origin(model_name="Tiny", adapters=adapters)))
    told = [row for row in rows if row[0] in ("Adapter", "Its SHA-256")]
    assert told == [
        ("Adapter", "terse · 0.8"),
        ("Its SHA-256", "ab"),
        ("Adapter", "tutor · 1"),
        ("Its SHA-256", "cd"),
    ]
