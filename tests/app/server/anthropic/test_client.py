"""The official client of Anthropic, against the server."""

import asyncio
from collections.abc import Iterator

import anthropic
import pytest
from pydantic import BaseModel

from backends.protocol import Message, ToolCall
from tests.app.server.silence import falls_silent
from tests.scripted_backend import Script

MODEL = "polite"
QUESTION = ({"role": "user", "content": "How is the weather?"},)
WEATHER = {
    "name": "weather",
    "description": "The weather at a place.",
    "input_schema": {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
    },
}
CALL = ToolCall("toolu_1", "weather", '{"place": "Bonn"}')


class Weather(BaseModel):
    place: str
    degrees: int


def connected(server, **how) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        **{"base_url": server.url, "max_retries": 0, **(how or {"api_key": "none"})}
    )


@pytest.fixture
def client(server) -> Iterator[anthropic.Anthropic]:
    with connected(server) as client:
        yield client


def ask(client: anthropic.Anthropic, **fields):
    return client.messages.create(
        **{"model": MODEL, "max_tokens": 100, "messages": QUESTION, **fields}
    )


def stream(client: anthropic.Anthropic, **fields):
    return client.messages.stream(
        **{"model": MODEL, "max_tokens": 100, "messages": QUESTION, **fields}
    )


def test_a_message_is_answered(client, server):
    samplers = {"temperature": 0, "top_k": 5}  # newer versions of the client have no names for them
    message = ask(client, system="Be kind.", stop_sequences=["END"], extra_body=samplers)
    (block,) = message.content
    assert block.text == "Hello, world."
    assert message.stop_reason == "end_turn"
    assert (message.role, message.type, message.model) == ("assistant", "message", MODEL)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (6, 4)
    assert message.usage.cache_read_input_tokens == 0
    request = server.backend.requests[-1]
    assert request.messages[0] == Message(role="system", content="Be kind.")
    assert (request.sampling.temperature, request.sampling.top_k) == (0, 5)
    assert request.max_tokens == 100
    assert "END" in request.stop


def test_a_message_is_streamed(client):
    with stream(client) as answer:
        assert list(answer.text_stream) == ["Hello", ",", " world", "."]
        message = answer.get_final_message()
    assert message.content[0].text == "Hello, world."
    assert (message.usage.input_tokens, message.usage.output_tokens) == (4, 4)


def test_the_events_come_in_their_order(client):
    with ask(client, stream=True) as events:
        kinds = [event.type for event in events]
    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 4,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_an_answer_is_cut_at_its_length(client):
    message = ask(client, max_tokens=2)
    assert message.stop_reason == "max_tokens"
    assert message.content[0].text == "Hello,"


def test_thinking_comes_in_a_block_of_its_own_when_asked_for(client, server):
    server.backend.script = Script(reasoning=("Well", "."))
    assert [block.type for block in ask(client).content] == ["text"]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = ask(client, thinking=thinking, max_tokens=2048)
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].thinking == "Well."
    with stream(client, thinking=thinking, max_tokens=2048) as answer:
        kinds = [event.type for event in answer]
        streamed = answer.get_final_message()
    assert "thinking" in kinds
    assert streamed.content[0].thinking == "Well."
    ask(client, messages=[*QUESTION, {"role": "assistant", "content": message.content}, *QUESTION])
    assert server.backend.requests[-1].messages[1].reasoning == "Well."


def test_a_tool_is_called_and_answered(client, server):
    server.backend.script = Script(tokens=("Let", " me"), calls=(CALL,))
    message = ask(client, tools=[WEATHER])
    assert message.stop_reason == "tool_use"
    text, call = message.content
    assert text.text == "Let me"
    assert (call.id, call.name, call.input) == ("toolu_1", "weather", {"place": "Bonn"})
    server.backend.script = Script()
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain"}
    answer = ask(
        client,
        tools=[WEATHER],
        messages=[
            *QUESTION,
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        ],
    )
    assert answer.content[0].text == "Hello, world."
    _, called, given = server.backend.requests[-1].messages
    assert called.tool_calls == (ToolCall("toolu_1", "weather", '{"place":"Bonn"}'),)
    assert given == Message(role="tool", content="Rain", tool_call_id="toolu_1")


def test_a_tool_s_input_is_streamed(client, server):
    server.backend.script = Script(tokens=(), calls=(CALL,))
    with stream(client, tools=[WEATHER], tool_choice={"type": "any"}) as answer:
        kinds = [event.type for event in answer]
        message = answer.get_final_message()
    assert "input_json" in kinds
    assert message.content[0].input == {"place": "Bonn"}
    assert message.stop_reason == "tool_use"
    assert server.backend.requests[-1].tool_choice == "required"


def test_the_client_runs_python_functions_as_tools(client, server):
    asked_for: list[str] = []

    @anthropic.beta_tool
    def weather(place: str) -> str:
        """The weather at a place.

        Args:
            place: The name of a town.
        """
        asked_for.append(place)
        server.backend.script = Script()
        return f"It rains in {place}."

    server.backend.script = Script(tokens=(), calls=(CALL,))
    runner = client.beta.messages.tool_runner(
        model=MODEL, max_tokens=100, messages=list(QUESTION), tools=[weather]
    )
    message = runner.until_done()
    assert asked_for == ["Bonn"]
    assert message.content[0].text == "Hello, world."
    assert server.backend.requests[-1].messages[-1].content == "It rains in Bonn."


def test_a_schema_holds_the_answer(client, server):
    server.backend.script = Script(tokens=('{"place": "Bonn",', ' "degrees": 12}'))
    message = client.messages.parse(
        model=MODEL, max_tokens=100, messages=list(QUESTION), output_format=Weather
    )
    assert message.parsed_output == Weather(place="Bonn", degrees=12)
    grammar = server.backend.requests[-1].grammar
    assert grammar.kind == "json_schema"
    assert '"degrees"' in grammar.text


def test_an_answer_that_was_begun_is_gone_on_with(client, server):
    ask(client, messages=[*QUESTION, {"role": "assistant", "content": "It is"}])
    assert server.backend.requests[-1].continue_last


def test_tokens_are_counted(client, server):
    counted = client.messages.count_tokens(model=MODEL, messages=list(QUESTION), system="Be kind.")
    assert counted.input_tokens == 6
    with_tools = client.messages.count_tokens(model=MODEL, messages=list(QUESTION), tools=[WEATHER])
    assert with_tools.input_tokens > 4
    assert not server.backend.requests


def test_refusals_come_as_the_client_s_own_errors(client):
    with pytest.raises(anthropic.NotFoundError, match="nobody") as caught:
        ask(client, model="nobody")
    assert caught.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        ask(client, extra_body={"temperature": 1.5})
    with pytest.raises(anthropic.BadRequestError, match="web_search"):
        ask(client, tools=[{"type": "web_search_20250305", "name": "web_search"}])


def test_a_wrong_key_is_refused_and_the_right_one_taken(make_server, scripted, model):
    server = make_server(scripted, key="right")
    with (
        connected(server, api_key="wrong") as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        ask(client)
    assert caught.value.body["error"]["type"] == "authentication_error"
    for how in ({"api_key": "right"}, {"auth_token": "right"}):
        with connected(server, **how) as client:
            assert ask(client).content[0].text == "Hello, world."


def test_too_many_at_once_are_told_when_to_come_again(make_server, scripted, model):
    scripted.script = Script(tokens=("x",) * 10_000, delay=0.01)
    server = make_server(scripted, most_at_once=1, most_waiting=0)
    with connected(server) as client, stream(client) as answer:
        next(iter(answer.text_stream))
        with pytest.raises(anthropic.RateLimitError) as caught:
            ask(client)
    assert caught.value.body["error"]["type"] == "rate_limit_error"
    assert int(caught.value.response.headers["retry-after"]) > 0


def test_what_is_too_large_is_refused(make_server, scripted, model):
    server = make_server(scripted, most_body_bytes=10_000)
    with connected(server) as client, pytest.raises(anthropic.APIStatusError) as caught:
        ask(client, system="x" * 20_000)
    assert caught.value.status_code == 413
    assert caught.value.body["error"]["type"] == "request_too_large"


def test_models_are_listed_as_that_client_expects(client):
    (listed,) = client.models.list().data
    assert listed.id == MODEL
    assert client.models.retrieve(MODEL).display_name == listed.display_name
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody")


def test_a_crash_is_an_error_before_the_answer_and_within_it(client, server):
    server.backend.script = Script(crash_at=0)
    with pytest.raises(anthropic.InternalServerError):
        ask(client)
    server.backend.script = Script(crash_at=2)
    with (
        stream(client) as answer,
        pytest.raises(anthropic.APIStatusError, match="stopped working"),
    ):
        list(answer.text_stream)


def test_what_a_coding_agent_sends_is_taken(client, server):
    """Long prompts in blocks, marks for a cache, many tools, thinking, and betas in the header."""
    cached = {"cache_control": {"type": "ephemeral"}}
    tools = [
        {**WEATHER, "name": f"tool_{number}", "description": "Long. " * 200} for number in range(40)
    ]
    with client.beta.messages.stream(
        model=MODEL,
        max_tokens=32_000,
        betas=["interleaved-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14"],
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cch=abc;"},
            {"type": "text", "text": "You are an agent. " * 500, **cached},
        ],
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "<system-reminder>Mind.</system-reminder>"},
                    {"type": "text", "text": "Fix it.", **cached},
                ],
            }
        ],
        tools=tools,
        thinking={"type": "enabled", "budget_tokens": 31_999},
        metadata={"user_id": "user_1"},
        extra_body={"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}},
    ) as answer:
        assert answer.get_final_message().content[0].text == "Hello, world."
    request = server.backend.requests[-1]
    assert len(request.tools) == 40
    assert "billing" not in request.messages[0].content


def test_a_stream_that_is_closed_ends_the_answer(client, server):
    server.backend.script = Script(tokens=("x",) * 10_000, delay=0.01)
    with stream(client) as answer:
        next(iter(answer.text_stream))
    assert falls_silent(server.server.journal)


def test_the_asynchronous_client_does_the_same(server):
    async def talk() -> None:
        async with anthropic.AsyncAnthropic(
            base_url=server.url, api_key="none", max_retries=0
        ) as client:
            message = await client.messages.create(
                model=MODEL, max_tokens=9, messages=list(QUESTION)
            )
            assert message.content[0].text == "Hello, world."
            async with client.messages.stream(
                model=MODEL, max_tokens=9, messages=list(QUESTION)
            ) as answer:
                assert [text async for text in answer.text_stream] == ["Hello", ",", " world", "."]
            with pytest.raises(anthropic.NotFoundError):
                await client.messages.create(model="nobody", max_tokens=9, messages=list(QUESTION))
            server.backend.script = Script(tokens=("x",) * 10_000, delay=0.01)
            async with client.messages.stream(
                model=MODEL, max_tokens=20_000, messages=list(QUESTION)
            ) as answer:
                async for _ in answer.text_stream:
                    break

    asyncio.run(talk())
    assert falls_silent(server.server.journal)
