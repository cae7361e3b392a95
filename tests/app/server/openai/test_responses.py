"""OpenAI's client asks by the responses API."""

import msgspec
import openai
import pytest
from pydantic import BaseModel

from app.server.failures import Failure
from app.server.openai_api.responses_objects import ResponseObject
from app.server.openai_api.responses_stream import ResponseStream
from app.server.openai_api.stored_responses import (
    MOST_BYTES,
    MOST_RESPONSES,
    StoredResponses,
    answer_of,
)
from backends.protocol import Finished, Message, ToolCall, ToolCallDelta
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
    assert response.store is True
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


def test_a_conversation_goes_on_from_a_response(client: openai.OpenAI, scripted: ScriptedBackend):
    first = client.responses.create(model="polite", input="Hi", instructions="Be brief.")
    second = client.responses.create(
        model="polite", input="And then?", previous_response_id=first.id
    )
    assert second.previous_response_id == first.id
    assert scripted.requests[-1].messages == (
        Message(role="user", content="Hi"),
        Message(role="assistant", content="Hello, world."),
        Message(role="user", content="And then?"),
    )
    stream = client.responses.create(
        model="polite", input="At last?", previous_response_id=second.id, stream=True
    )
    third = next(event.response for event in stream if event.type == "response.completed")
    client.responses.create(model="polite", input="End", previous_response_id=third.id)
    assert [each.content for each in scripted.requests[-1].messages][-3:] == [
        "At last?",
        "Hello, world.",
        "End",
    ]


def test_the_result_of_a_tool_goes_on_from_its_call(
    client: openai.OpenAI, scripted: ScriptedBackend
):
    call = ToolCall("call_1", "weather", "{}")
    scripted.script = Script(tokens=(), calls=(call,))
    first = client.responses.create(model="polite", input="Hi", tools=[TOOL])
    scripted.script = Script()
    client.responses.create(
        model="polite",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": "call_1", "output": "Rain."}],
    )
    assert scripted.requests[-1].messages[1:] == (
        Message(role="assistant", content="", tool_calls=(call,)),
        Message(role="tool", content="Rain.", tool_call_id="call_1"),
    )


def test_a_response_can_be_read_again_and_forgotten(client: openai.OpenAI):
    made = client.responses.create(model="polite", input="Hi")
    assert client.responses.retrieve(made.id) == made
    client.responses.delete(made.id)
    for ask in (client.responses.retrieve, client.responses.delete):
        with pytest.raises(openai.NotFoundError):
            ask(made.id)
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model="polite", input="Hi", previous_response_id=made.id)
    assert caught.value.param == "previous_response_id"


def test_what_is_not_to_be_stored_is_not(client: openai.OpenAI):
    made = client.responses.create(model="polite", input="Hi", store=False)
    assert made.store is False
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_only_the_newest_are_stored():
    stored = StoredResponses()
    response = ResponseObject(id="0", created_at=0, status="completed", model="m", text={})
    for number in range(MOST_RESPONSES + 1):
        stored.keep(msgspec.structs.replace(response, id=str(number)), ())
    with pytest.raises(Failure):
        stored.find("0")
    large = Message(role="user", content="x" * (MOST_BYTES // 2 + 1))
    for name in ("a", "b"):
        stored.keep(msgspec.structs.replace(response, id=name), [large])
    assert stored.find("b")
    for name in ("1", "a"):
        with pytest.raises(Failure):
            stored.find(name)
    wordy = msgspec.structs.replace(response, instructions="x" * (MOST_BYTES // 2 + 1))
    for name in ("c", "d"):
        stored.keep(msgspec.structs.replace(wordy, id=name), ())
    assert stored.find("d")
    for name in ("b", "c"):
        with pytest.raises(Failure):
            stored.find(name)


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


def test_a_response_that_breaks_off_within_a_call_has_not_made_it():
    for ending in ("failed", "stopped"):
        stream = ResponseStream(
            ResponseObject(id="1", created_at=0, status="in_progress", model="m", text={})
        )
        told = b"".join(stream.feed(ToolCallDelta("c1", "weather", '{"pl')))
        assert b"response.function_call_arguments.delta" in told
        if ending == "failed":
            told = b"".join(stream.fail(Failure("unavailable", "It crashed.")))
        else:
            told = b"".join(stream.feed(Finished("stop")))
        assert b"arguments.done" not in told
        assert stream.response.status == ("failed" if ending == "failed" else "incomplete")
        (item,) = stream.response.output
        assert (item.status, item.arguments) == ("incomplete", '{"pl')
        assert not answer_of(stream.response).tool_calls
