"""Fields of the OpenAI API that were ignored in silence: each is honoured, or refused in words."""

import openai
import pytest

from backends.protocol import Grammar, Message, ToolCall
from tests.app.server.conftest import Served
from tests.scripted_backend import Script, ScriptedBackend

ASK = [{"role": "user", "content": "How is the weather?"}]
WEATHER = {
    "name": "weather",
    "description": "The weather of a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
}
CALL = ToolCall("call_9", "weather", '{"place": "Bonn"}')
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}}


class TestFunctions:
    def test_they_are_called_as_before_there_were_tools(
        self, client: openai.OpenAI, scripted: ScriptedBackend
    ):
        scripted.script = Script(tokens=(), calls=(CALL,))
        choice = client.chat.completions.create(
            model="polite", messages=ASK, functions=[WEATHER], function_call={"name": "weather"}
        ).choices[0]
        assert choice.finish_reason == "function_call"
        assert choice.message.function_call.name == "weather"
        assert choice.message.function_call.arguments == CALL.arguments
        assert choice.message.tool_calls is None
        (request,) = scripted.requests
        assert [tool.name for tool in request.tools] == ["weather"]
        assert request.tool_choice == "required"
        assert not request.parallel_tool_calls

    def test_they_come_in_pieces(self, client: openai.OpenAI, scripted: ScriptedBackend):
        scripted.script = Script(tokens=(), calls=(CALL,))
        chunks = list(
            client.chat.completions.create(
                model="polite", messages=ASK, functions=[WEATHER], stream=True
            )
        )
        calls = [chunk.choices[0].delta.function_call for chunk in chunks]
        assert [call.name for call in calls if call and call.name] == ["weather"]
        assert "".join(call.arguments or "" for call in calls if call) == CALL.arguments
        assert chunks[-1].choices[0].finish_reason == "function_call"

    def test_their_results_are_read(self, client: openai.OpenAI, scripted: ScriptedBackend):
        client.chat.completions.create(
            model="polite",
            functions=[WEATHER],
            messages=[
                *ASK,
                {
                    "role": "assistant",
                    "content": None,
                    "function_call": {"name": "weather", "arguments": "{}"},
                },
                {"role": "function", "name": "weather", "content": "Rain."},
            ],
        )
        _, called, result = scripted.requests[0].messages
        assert [(call.name, call.arguments) for call in called.tool_calls] == [("weather", "{}")]
        assert result == Message(role="tool", content="Rain.", tool_call_id=called.tool_calls[0].id)


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "json_object", "schema": SCHEMA},
        {"type": "json_schema", "schema": SCHEMA},
        {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}},
    ],
)
def test_a_schema_counts_wherever_it_stands(
    client: openai.OpenAI, scripted: ScriptedBackend, wanted
):
    client.chat.completions.create(model="polite", messages=ASK, response_format=wanted)
    grammar = scripted.requests[0].grammar
    assert isinstance(grammar, Grammar)
    assert '"age"' in grammar.text


def test_a_schema_counts_in_a_response(client: openai.OpenAI, scripted: ScriptedBackend):
    client.responses.create(
        model="polite", input="Hello", text={"format": {"type": "json_object", "schema": SCHEMA}}
    )
    grammar = scripted.requests[0].grammar
    assert grammar is not None
    assert '"age"' in grammar.text


def test_samplers_of_other_local_servers_count(client: openai.OpenAI, scripted: ScriptedBackend):
    more = {"top_k": 7, "min_p": 0.25, "repetition_penalty": 1.5}
    client.chat.completions.create(model="polite", messages=ASK, extra_body=more)
    client.completions.create(model="polite", prompt="Once", extra_body=more)
    for request in scripted.requests:
        sampling = request.sampling
        assert (sampling.top_k, sampling.min_p, sampling.repeat_penalty) == (7, 0.25, 1.5)


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/v1/chat/completions", "modalities", ["text", "audio"]),
        ("/v1/chat/completions", "audio", {"voice": "alloy", "format": "wav"}),
        ("/v1/chat/completions", "web_search_options", {"search_context_size": "low"}),
        ("/v1/chat/completions", "function_call", {"name": "weather"}),
        ("/v1/completions", "best_of", 3),
        ("/v1/responses", "prompt", {"id": "pmpt_1"}),
        ("/v1/responses", "conversation", "conv_1"),
        ("/v1/responses", "background", True),
        ("/v1/responses", "top_logprobs", 3),
        ("/v1/messages", "mcp_servers", [{"type": "url", "url": "https://example.org"}]),
        ("/v1/messages", "container", "container_1"),
        ("/v1/messages", "max_tokens", 0),
    ],
)
def test_what_is_not_here_is_refused_in_words(server: Served, path: str, field: str, value):
    asked = {
        "model": "polite",
        "messages": ASK,
        "prompt": "Once",
        "input": "Once",
        "max_tokens": 9,
        field: value,
    }
    if path == "/v1/responses" and field != "prompt":
        del asked["prompt"]
    with server.client() as client:
        answer = client.post(path, json=asked)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/api/chat",
        "/api/generate",
        "/api/embed",
        "/api/show",
    ],
)
@pytest.mark.parametrize("name", ["", "  "])
def test_a_model_without_a_name_is_no_model(server: Served, path: str, name: str):
    asked = {"model": name, "messages": ASK, "prompt": "Once", "input": "Once", "max_tokens": 9}
    if path == "/v1/responses":
        del asked["prompt"]
    with server.client() as client:
        answer = client.post(path, json=asked)
    assert answer.status_code == 400, answer.text
    assert "model" in answer.text
    assert server.backend.sessions == []


def test_a_misspelt_extension_is_refused(server: Served):
    with server.client() as client:
        answer = client.post(
            "/v1/chat/completions",
            json={"model": "polite", "messages": ASK, "causeway": {"opions": {"min_p": 0.5}}},
        )
    assert answer.status_code == 400
    assert "opions" in answer.json()["error"]["message"]
