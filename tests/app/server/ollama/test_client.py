"""The official client of Ollama, against the server."""

import asyncio

import ollama
import pytest
from pydantic import BaseModel

from backends.protocol import Grammar, ToolCall
from tests.app.server.silence import falls_silent
from tests.scripted_backend import Script

MODEL = "polite"
QUESTION = ({"role": "user", "content": "How is the weather?"},)


class Weather(BaseModel):
    place: str
    degrees: int


def weather(place: str) -> str:
    """The weather at a place.

    Args:
        place: The name of a town.
    """
    return f"It rains in {place}."


@pytest.fixture
def client(server):
    with ollama.Client(host=server.url) as client:
        yield client


def test_a_chat_is_answered(client, server):
    answer = client.chat(MODEL, messages=QUESTION, options={"temperature": 0, "num_predict": 9})
    assert answer.message.content == "Hello, world."
    assert answer.done_reason == "stop"
    assert (answer.prompt_eval_count, answer.eval_count) == (4, 4)
    assert answer.total_duration >= answer.eval_duration
    request = server.backend.requests[-1]
    assert (request.sampling.temperature, request.max_tokens) == (0, 9)


def test_an_answer_is_streamed_word_by_word(client):
    parts = list(client.chat(MODEL, messages=QUESTION, stream=True))
    assert [part.message.content for part in parts] == ["Hello", ",", " world", ".", ""]
    assert [part.done for part in parts] == [False] * 4 + [True]
    assert parts[-1].eval_count == 4


def test_a_prompt_is_answered(client, server):
    assert client.generate(MODEL, "Hello", system="Be kind.").response == "Hello, world."
    assert [message.role for message in server.backend.requests[-1].messages] == ["system", "user"]
    parts = list(client.generate(MODEL, "Once", raw=True, stream=True))
    assert "".join(part.response for part in parts) == "Hello, world."
    assert server.backend.requests[-1].prompt == "Once"


def test_models_can_be_named_with_ollama_s_tag(client):
    (listed,) = client.list().models
    assert listed.model.endswith(":latest") or ":" in listed.model
    assert client.chat(listed.model, messages=QUESTION).message.content == "Hello, world."
    assert len(listed.digest) == 64
    assert listed.details.format == "gguf"
    shown = client.show(listed.model)
    assert "completion" in shown.capabilities
    assert shown.modelinfo["general.architecture"] == listed.details.family


def test_a_model_is_loaded_without_an_answer(client, server):
    assert not client.ps().models
    assert client.generate(MODEL, "").done_reason == "load"
    assert client.ps().models[0].context_length == 2048
    assert client.chat(MODEL).done_reason == "load"
    assert not server.backend.requests


def test_tools_are_called_with_python_functions(client, server):
    server.backend.script = Script(
        tokens=(), calls=(ToolCall("a", "weather", '{"place": "Bonn"}'),)
    )
    answer = client.chat(MODEL, messages=QUESTION, tools=[weather])
    (call,) = answer.message.tool_calls
    assert weather(**call.function.arguments) == "It rains in Bonn."
    (tool,) = server.backend.requests[-1].tools
    assert tool.name == "weather"
    assert '"place"' in tool.parameters
    result = {"role": "tool", "tool_name": "weather", "content": "Rain"}
    server.backend.script = Script()
    client.chat(MODEL, messages=[*QUESTION, answer.message, result], tools=[weather])
    _, called, given = server.backend.requests[-1].messages
    assert given.tool_call_id == called.tool_calls[0].id
    assert given.content == "Rain"


def test_a_schema_holds_the_answer(client, server):
    server.backend.script = Script(tokens=('{"place": "Bonn",', ' "degrees": 12}'))
    schema = Weather.model_json_schema()
    answer = client.chat(MODEL, messages=QUESTION, format=schema)
    assert Weather.model_validate_json(answer.message.content) == Weather(place="Bonn", degrees=12)
    grammar = server.backend.requests[-1].grammar
    assert grammar.kind == "json_schema"
    assert '"degrees"' in grammar.text
    client.chat(MODEL, messages=QUESTION, format="json")
    assert server.backend.requests[-1].grammar == Grammar("json_schema", '{"type": "object"}')


def test_thinking_comes_apart(client, server):
    server.backend.script = Script(reasoning=("Well", "."))
    assert client.chat(MODEL, messages=QUESTION, think=True).message.thinking == "Well."
    assert client.chat(MODEL, messages=QUESTION, think="high").message.thinking == "Well."
    assert client.chat(MODEL, messages=QUESTION, think=False).message.thinking is None
    parts = list(client.generate(MODEL, "x", think=True, stream=True))
    assert "".join(part.thinking or "" for part in parts) == "Well."


def test_probabilities_are_told(client):
    answer = client.chat(MODEL, messages=QUESTION, logprobs=True, top_logprobs=2)
    assert [each.token for each in answer.logprobs] == ["Hello", ",", " world", "."]


def test_an_unknown_model_is_404_in_ollama_s_shape(client):
    for stream in (False, True):
        with pytest.raises(ollama.ResponseError) as caught:
            list(client.chat("nobody", messages=QUESTION, stream=stream))
        assert caught.value.status_code == 404
        assert "nobody" in caught.value.error


def test_what_is_out_of_bounds_is_said(client):
    with pytest.raises(ollama.ResponseError, match="temperature") as caught:
        client.chat(MODEL, messages=QUESTION, options={"temperature": 99})
    assert caught.value.status_code == 400


def test_a_wrong_key_is_refused_and_the_right_one_taken(make_server, scripted, model, monkeypatch):
    server = make_server(scripted, key="right")
    with (
        ollama.Client(server.url, headers={"Authorization": "Bearer wrong"}) as client,
        pytest.raises(ollama.ResponseError, match="key") as caught,
    ):
        client.list()
    assert caught.value.status_code == 401
    monkeypatch.setenv("OLLAMA_API_KEY", "right")
    with ollama.Client(server.url) as client:
        assert len(client.list().models) == 1


def test_too_many_at_once_are_refused(make_server, scripted, model):
    scripted.script = Script(tokens=("x",) * 10_000, delay=0.01)
    server = make_server(scripted, most_at_once=1, most_waiting=0)
    with ollama.Client(server.url) as client:
        parts = client.chat(MODEL, messages=QUESTION, stream=True)
        next(parts)
        with pytest.raises(ollama.ResponseError) as caught:
            client.chat(MODEL, messages=QUESTION)
        parts.close()
    assert caught.value.status_code == 429


def test_a_crash_before_the_answer_is_an_error_and_one_within_ends_the_stream(client, server):
    server.backend.script = Script(crash_at=0)
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(MODEL, messages=QUESTION, stream=False)
    assert caught.value.status_code == 503
    server.backend.script = Script(crash_at=2)
    parts = []
    with pytest.raises(ollama.ResponseError, match="stopped working"):
        parts.extend(part for part in client.chat(MODEL, messages=QUESTION, stream=True))


def test_what_is_a_person_s_to_do_is_refused_with_the_place_for_it(client):
    assert client.pull(MODEL).status == "success"
    refused = (
        lambda: client.pull("nobody"),
        lambda: client.create("new", from_=MODEL),
        lambda: client.delete(MODEL),
        lambda: client.copy(MODEL, "other"),
        lambda: client.push(MODEL),
    )
    for ask in refused:
        with pytest.raises(ollama.ResponseError) as caught:
            ask()
        assert caught.value.status_code in (400, 404)
        assert "Causeway" in caught.value.error


def test_vectors_are_refused_by_a_model_that_answers(client):
    with pytest.raises(ollama.ResponseError, match="vectors"):
        client.embed(MODEL, "x")


def test_a_stream_that_is_closed_ends_the_answer(client, server):
    server.backend.script = Script(tokens=("x",) * 10_000, delay=0.01)
    parts = client.chat(MODEL, messages=QUESTION, stream=True)
    next(parts)
    parts.close()
    assert falls_silent(server.server.journal)


def test_the_asynchronous_client_does_the_same(server):
    async def talk() -> None:
        async with ollama.AsyncClient(host=server.url) as client:
            answer = await client.chat(MODEL, messages=QUESTION)
            assert answer.message.content == "Hello, world."
            texts = [
                part.message.content
                async for part in await client.chat(MODEL, messages=QUESTION, stream=True)
            ]
            assert "".join(texts) == "Hello, world."
            answers = await asyncio.gather(
                *(client.generate(MODEL, f"Number {each}") for each in range(5))
            )
            assert {answer.response for answer in answers} == {"Hello, world."}
            with pytest.raises(ollama.ResponseError):
                await client.chat("nobody", messages=QUESTION)

    asyncio.run(talk())


def test_an_asynchronous_stream_that_is_closed_ends_the_answer(server):
    server.backend.script = Script(tokens=("x",) * 10_000, delay=0.01)

    async def talk() -> None:
        async with ollama.AsyncClient(host=server.url) as client:
            parts = await client.chat(MODEL, messages=QUESTION, stream=True)
            async for _ in parts:
                break
            await parts.aclose()

    asyncio.run(talk())
    assert falls_silent(server.server.journal)
