"""Anthropic's client, answered by real workers."""

import anthropic
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from tests.app.server.silence import falls_silent

QUESTION = ({"role": "user", "content": "How is the weather in Paris?"},)
WEATHER = {
    "name": "weather",
    "description": "The weather at a place.",
    "input_schema": {
        "type": "object",
        "properties": {"place": {"enum": ["Paris", "Rome"]}},
        "required": ["place"],
    },
}


def test_a_worker_s_words_come_through(real_server):
    with anthropic.Anthropic(base_url=real_server.url, api_key="none", max_retries=0) as client:
        fields = {"model": "polite", "max_tokens": 20, "messages": list(QUESTION)}
        message = client.messages.create(**fields)
        assert message.content[0].text == "Good morning."
        assert message.stop_reason == "end_turn"
        again = client.messages.create(**fields)
        assert again.usage.cache_read_input_tokens > 0
        assert (
            again.usage.input_tokens + again.usage.cache_read_input_tokens
            == message.usage.input_tokens + message.usage.cache_read_input_tokens
        )
        counted = client.messages.count_tokens(model="polite", messages=list(QUESTION))
        assert counted.input_tokens > 0
        stopped = client.messages.create(**fields, stop_sequences=["morning"])
        assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "morning")
        begun = [*QUESTION, {"role": "assistant", "content": "Good"}]
        assert client.messages.create(**{**fields, "messages": begun}).content[0].text
        with client.messages.stream(**fields) as stream:
            assert "".join(stream.text_stream) == "Good morning."


def test_a_worker_is_stopped_when_the_client_leaves(make_server, other_model):
    server = make_server(LlamaCppBackend())
    with (
        anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client,
        client.messages.stream(
            model=other_model.id, max_tokens=100_000, messages=list(QUESTION)
        ) as stream,
    ):
        next(iter(stream.text_stream))
    assert falls_silent(server.server.journal)


@pytest.mark.model
def test_the_starter_calls_a_tool_that_it_must_call(make_server, library, starter_model):
    model = library.add_file(starter_model)
    server = make_server(LlamaCppBackend())
    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client:
        fields = {"model": model.id, "max_tokens": 60, "messages": list(QUESTION)}
        named = {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}
        message = client.messages.create(**fields, tools=[WEATHER], tool_choice=named)
        (call,) = message.content
        assert message.stop_reason == "tool_use"
        assert (call.type, call.name) == ("tool_use", "weather")
        assert call.input["place"] in ("Paris", "Rome")
        with client.messages.stream(
            **fields, tools=[WEATHER], tool_choice={"type": "any"}
        ) as stream:
            streamed = stream.get_final_message().content[0]
        assert streamed.input["place"] in ("Paris", "Rome")
        with client.messages.stream(**{**fields, "max_tokens": 8}) as stream:
            assert "".join(stream.text_stream)
