"""Tools in prompts and answers of the engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from backends.errors import BadGrammar
from backends.llama_cpp.templates import JinjaTemplate
from backends.protocol import (
    ChatRequest,
    Event,
    Grammar,
    Message,
    Sampling,
    Tool,
    ToolCall,
    Warned,
)
from backends.testing import last, text_of
from backends.tool_calls import formats
from backends.tool_calls.in_words import in_words
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp import tool_templates
from tests.gguf_files import CHATML, NO_SYSTEM_ROLE, write_model

WEATHER = Tool(
    name="weather",
    description="Tells the weather.",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {"city": {"enum": ["Paris", "Rome"]}, "days": {"type": "integer"}},
            "required": ["city"],
        }
    ),
)
CLOCK = Tool(name="clock", description="Tells the time.")
QUESTION = Message(role="user", content="Is it raining?")
CALL = ToolCall("call_1", "weather", '{"city":"Paris"}')
TWO = (CALL, ToolCall("call_2", "clock", "{}"))


def asked(*calls: ToolCall, content: str = "") -> Message:
    return Message(role="assistant", content=content, tool_calls=calls)


def result(call: ToolCall, content: str) -> Message:
    return Message(role="tool", content=content, tool_call_id=call.id)


def calls_in(events: list[Event]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


def from_file(text: str) -> JinjaTemplate:
    return JinjaTemplate(text, bos="<s>", eos="</s>")


@pytest.mark.parametrize(
    "name",
    [
        "HERMES", "LLAMA_3", "MISTRAL_LIST", "MISTRAL_NAMED", "DEEPSEEK_FENCED", "FUNCTION_GEMMA",
        "QWEN_CODER",
    ],
)  # fmt: skip
def test_a_template_s_way_to_write_calls_is_recognised_and_used(name: str) -> None:
    template = from_file(getattr(tool_templates, name))
    form = {form.name: form for form in formats.FORMATS}[template.call_format.name]  # type: ignore[union-attr]
    written = getattr(__import__("backends.tool_calls.formats", fromlist=[name]), name)
    assert form is written
    prompt = template.render([QUESTION, asked(CALL), result(CALL, "No.")], [WEATHER])
    assert "Tells the weather." in prompt
    assert "No." in prompt
    from backends.tool_calls.in_words import calls_of

    assert form.write(calls_of(asked(CALL))) in prompt


def test_templates_that_know_no_tools_or_an_unknown_form_get_none() -> None:
    for text in (CHATML, NO_SYSTEM_ROLE, tool_templates.UNKNOWN):
        assert from_file(text).call_format is None


def test_a_template_that_takes_one_call_at_a_time_gets_each_with_its_result() -> None:
    template = from_file(tool_templates.LLAMA_3)
    assert template.splits_calls
    first, second = TWO
    prompt = template.render(
        [QUESTION, asked(*TWO), result(second, "noon"), result(first, "rain")], [WEATHER, CLOCK]
    )


def test_tools_in_words_leave_nothing_that_a_plain_template_does_not_know() -> None:
    system = Message(role="system", content="Be brief.")
    chat = [system, QUESTION, asked(*TWO, content="I look."), *(result(c, c.name) for c in TWO)]
    told = in_words([*chat, QUESTION], [WEATHER, CLOCK])
    assert [message.role for message in told] == ["system", "user", "assistant", "user"]
    assert told[0].content.startswith("Be brief.\n\n")
    assert "Tells the weather." in told[0].content
    assert not any(message.tool_calls for message in told)
    assert told[2].content.startswith('I look.\n<tool_call>\n{"name": "weather"')
    assert told[3].content.index("weather") < told[3].content.index("clock")
    assert told[3].content.endswith(QUESTION.content)
    assert in_words([system, QUESTION], []) == [system, QUESTION]


def request(*messages: Message, **more: Any) -> ChatRequest:
    more.setdefault("tools", (WEATHER, CLOCK))
    more.setdefault("sampling", Sampling(temperature=0))
    return ChatRequest(messages=messages or (QUESTION,), **more)


@pytest.fixture
def calling_model(tmp_path: Path) -> Path:
    """Says something, calls a tool twice, and says something again."""
    says = ("I", " look.", "\n<tool", "_call>", '\n{"name": "weather", ', '"arguments"',
            ': {"city": "Paris"}}', "\n</tool_call>", '\n<tool_call>{"name": "clock"}',
            "</tool_call>", "\nThere", " now.")  # fmt: skip
    return write_model(tmp_path / "calling.gguf", says=says, template=tool_templates.HERMES)


def test_calls_come_as_events_and_not_as_text(
    open_session: OpenSession, calling_model: Path
) -> None:
    events = list(open_session(calling_model).chat(request()))
    assert text_of(events) == "I look.There now."
    assert [(call.name, json.loads(call.arguments)) for call in calls_in(events)] == [
        ("weather", {"city": "Paris"}),
        ("clock", {}),
    ]
    assert len({call.id for call in calls_in(events)}) == 2
    assert last(events).reason == "stop"


def test_the_answer_ends_after_one_call_where_one_is_wanted(
    open_session: OpenSession, calling_model: Path
) -> None:
    events = list(open_session(calling_model).chat(request(parallel_tool_calls=False)))
    assert [call.name for call in calls_in(events)] == ["weather"]
    assert text_of(events) == "I look."
    assert last(events).reason == "stop"


@pytest.mark.parametrize(
    "more", [{"tools": ()}, {"tool_choice": "none"}, {"tools": (Tool(name="x"),)}]
)
def test_calls_that_nobody_asked_for_are_text(
    open_session: OpenSession, calling_model: Path, more: dict[str, Any]
) -> None:
    events = list(open_session(calling_model).chat(request(**more)))
    assert not calls_in(events)
    assert '<tool_call>\n{"name": "weather", "arguments"' in text_of(events)
