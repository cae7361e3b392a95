"""OpenAI's client asks by the responses API."""

import openai
import pytest
from pydantic import BaseModel

from backends.protocol import Message, ToolCall
from tests.scripted_backend import Script, ScriptedBackend

TOOL = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    "strict": False,
}


def test_an_answer_comes_whole(client: openai.OpenAI, scripted: ScriptedBackend):
    response = client.responses.create(
        model="polite", input="Good morning?", instructions="Be brief."
    )
    assert response.output_text == "Hello, world."
    assert response.status == "completed"
    assert response.usage.output_tokens == 4
    assert response.usage.input_tokens_details.cached_tokens == 0
    assert response.store is False
    assert scripted.requests[0].messages == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Good morning?"),
    )


def test_events_come_in_order_and_numbered(client: openai.OpenAI, scripted: ScriptedBackend):
    scripted.script = Script(reasoning=("Hm",), tokens=("Hello", "."))
    events = list(client.responses.create(model="polite", input="Hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    reasoning, message = events[-1].response.output
    assert reasoning.content[0].text == "Hm"
    assert message.content[0].text == "Hello."


def test_the_clients_own_stream_puts_it_together(client: openai.OpenAI, scripted: ScriptedBackend):
    scripted.script = Script(
        reasoning=("Hm",),
        tokens=("So: ",),
        calls=(ToolCall("call_1", "weather", '{"place": "Oslo"}'),),
    )
    with client.responses.stream(model="polite", input="Hi", tools=[TOOL]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert "response.function_call_arguments.done" in kinds
    assert final.output_text == "So: "
    call = final.output[-1]
    assert (call.type, call.call_id, call.name, call.arguments) == (
        "function_call",
        "call_1",
        "weather",
        '{"place": "Oslo"}',
    )


def test_what_came_of_a_call_follows_it(client: openai.OpenAI, scripted: ScriptedBackend):
    scripted.script = Script(reasoning=("Hm",), tokens=(), calls=(ToolCall("c1", "weather", "{}"),))
    first = client.responses.create(model="polite", input="Weather?", tools=[TOOL])
    scripted.script = Script(tokens=("Rain.",))
    again = client.responses.create(
        model="polite",
        tools=[TOOL],
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            *first.output,
            {"type": "function_call_output", "call_id": "c1", "output": "Rain"},
        ],
    )
    assert again.output_text == "Rain."
    assert scripted.requests[1].messages == (
        Message(role="user", content="Weather?"),
        Message(
            role="assistant",
            content="",
            reasoning="Hm",
            tool_calls=(ToolCall("c1", "weather", "{}"),),
        ),
        Message(role="tool", content="Rain", tool_call_id="c1"),
    )


class Person(BaseModel):
    name: str
    age: int


def test_a_schema_is_kept_to_and_read_back(client: openai.OpenAI, scripted: ScriptedBackend):
    scripted.script = Script(tokens=('{"name": "Ada", "age": 36}',))
    response = client.responses.parse(model="polite", input="Who?", text_format=Person)
    assert response.output_parsed == Person(name="Ada", age=36)
    assert scripted.requests[0].grammar.kind == "json_schema"


def test_an_answer_that_is_cut_says_so(client: openai.OpenAI):
    response = client.responses.create(model="polite", input="Hi", max_output_tokens=2)
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    events = list(
        client.responses.create(model="polite", input="Hi", max_output_tokens=2, stream=True)
    )
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output[0].status == "incomplete"


@pytest.mark.parametrize(
    ("field", "value"), [("previous_response_id", "resp_1"), ("background", True)]
)
def test_a_server_without_memory_refuses_to_remember(client: openai.OpenAI, field, value):
    with pytest.raises(openai.BadRequestError, match="remembers no responses") as caught:
        client.responses.create(model="polite", input="Hi", **{field: value})
    assert caught.value.param == field


def test_tools_that_a_service_would_run_are_refused(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="polite", input="Hi", tools=[{"type": "web_search"}])
    assert caught.value.param == "tools[0].type"


def test_a_crash_within_an_answer_ends_the_response_as_failed(
    client: openai.OpenAI, scripted: ScriptedBackend
):
    scripted.script = Script(crash_at=2)
    events = list(client.responses.create(model="polite", input="Hi", stream=True))
    assert events[-1].type == "response.failed"
    assert "stopped working" in events[-1].response.error.message
    assert events[-1].response.output[0].content[0].text == "Hello,"
