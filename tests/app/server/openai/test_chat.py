"""OpenAI's client chats with the server."""

import asyncio
import contextlib
import math
import time

import msgspec
import openai
import pytest
from pydantic import BaseModel

from app.settings_file import SettingsFile
from backends.protocol import Grammar, Image, Message, TokenBias, ToolCall
from tests.app.server.conftest import MakeServer, Served
from tests.scripted_backend import Script, ScriptedBackend

ASK = [{"role": "user", "content": "Good morning?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}
TIME = {"type": "function", "function": {"name": "time"}}


def test_an_answer_comes_whole(client: openai.OpenAI, server: Served):
    answer = client.chat.completions.create(model="polite", messages=ASK)
    assert answer.choices[0].message.content == "Hello, world."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "polite"
    assert answer.usage.completion_tokens == 4
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 4
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert server.backend.requests[0].messages == (Message(role="user", content="Good morning?"),)


def test_an_answer_comes_in_pieces_with_its_usage_last(client: openai.OpenAI):
    stream = client.chat.completions.create(
        model="polite", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert deltas[0].role == "assistant"
    assert [delta.content for delta in deltas if delta.content] == ["Hello", ",", " world", "."]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 4
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.system_fingerprint.startswith("fp_") for chunk in chunks)


def test_a_stream_tells_no_usage_unless_asked(client: openai.OpenAI):
    stream = client.chat.completions.create(model="polite", messages=ASK, stream=True)
    assert all(chunk.usage is None and chunk.choices for chunk in stream)


def test_the_asynchronous_client_is_answered_too(server: Served):
    async def ask() -> tuple[str, str]:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
            whole = await client.chat.completions.create(model="polite", messages=ASK)
            stream = await client.chat.completions.create(model="polite", messages=ASK, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return whole.choices[0].message.content, "".join(pieces)

    assert asyncio.run(ask()) == ("Hello, world.", "Hello, world.")


def test_what_a_client_sets_reaches_the_model(client: openai.OpenAI, server: Served):
    client.chat.completions.create(
        model="polite",
        messages=ASK,
        temperature=0.3,
        top_p=0.8,
        frequency_penalty=0.5,
        presence_penalty=-0.5,
        seed=7,
        max_completion_tokens=3,
        max_tokens=9,
        stop=["END", "FIN"],
        logit_bias={"5": -100},
        extra_body={"causeway": {"options": {"min_p": 0.2, "xtc_probability": 0.5}}},
    )
    request = server.backend.requests[0]
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.3, 0.8, 7)
    assert (sampling.frequency_penalty, sampling.presence_penalty) == (0.5, -0.5)
    assert (sampling.min_p, sampling.xtc_probability) == (0.2, 0.5)
    assert sampling.logit_bias == (TokenBias(5, -100.0),)
    assert request.max_tokens == 3
    assert request.stop == ("END", "FIN")


def test_what_a_client_leaves_is_as_the_person_has_it_but_for_the_sampling(
    make_server: MakeServer, scripted: ScriptedBackend, model, paths
):
    settings = SettingsFile(paths.settings_file)
    settings.update(chat_defaults={"temperature": 0.15, "system_prompt": "Be brief.", "n_ctx": 256})
    server = make_server(scripted)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        client.chat.completions.create(model="polite", messages=ASK, top_p=0.5)
        own = [{"role": "developer", "content": "Be long."}, *ASK]
        client.chat.completions.create(model="polite", messages=own)
    first, second = scripted.requests
    assert (first.sampling.temperature, first.sampling.top_p) == (1.0, 0.5)
    assert first.messages[0] == Message(role="system", content="Be brief.")
    assert second.messages[0] == Message(role="system", content="Be long.")
    assert [session.options.n_ctx for session in scripted.sessions] == [256]


def test_no_client_can_have_the_model_loaded_otherwise(client: openai.OpenAI, server: Served):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="polite", messages=ASK, extra_body={"causeway": {"options": {"n_ctx": 64}}}
        )
    assert caught.value.param == "causeway.options.n_ctx"
    assert not server.backend.sessions


def test_several_answers_are_written_at_once(client: openai.OpenAI, server: Served):
    answer = client.chat.completions.create(model="polite", messages=ASK, n=3, seed=5)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert {choice.message.content for choice in answer.choices} == {"Hello, world."}
    assert sorted(request.sampling.seed for request in server.backend.requests) == [5, 6, 7]
    assert answer.usage.completion_tokens == 12

    stream = client.chat.completions.create(model="polite", messages=ASK, n=2, stream=True)
    texts = ["", ""]
    for chunk in stream:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == ["Hello, world."] * 2


def test_probabilities_come_token_by_token(client: openai.OpenAI, server: Served):
    answer = client.chat.completions.create(
        model="polite", messages=ASK, logprobs=True, top_logprobs=2
    )
    content = answer.choices[0].logprobs.content
    assert [token.token for token in content] == ["Hello", ",", " world", "."]
    assert content[0].logprob == -0.5
    assert bytes(content[0].bytes) == b"Hello"
    assert server.backend.requests[0].logprobs == 2

    with client.chat.completions.stream(model="polite", messages=ASK, logprobs=True) as stream:
        final = stream.get_final_completion()
    assert [token.token for token in final.choices[0].logprobs.content] == [
        "Hello",
        ",",
        " world",
        ".",
    ]


def test_what_it_thinks_is_told_apart(client: openai.OpenAI, scripted: ScriptedBackend):
    scripted.script = Script(reasoning=("Hm", "…"), tokens=("Yes.",))
    answer = client.chat.completions.create(model="polite", messages=ASK)
    assert answer.choices[0].message.reasoning_content == "Hm…"
    assert answer.choices[0].message.content == "Yes."
    chunks = client.chat.completions.create(model="polite", messages=ASK, stream=True)
    thought = [getattr(chunk.choices[0].delta, "reasoning_content", None) for chunk in chunks]
    assert [each for each in thought if each] == ["Hm", "…"]


class TestTools:
    CALLS = (
        ToolCall("call_1", "weather", '{"place": "Oslo"}'),
        ToolCall("call_2", "weather", '{"place": "Rome"}'),
    )

    def test_calls_come_whole(self, client: openai.OpenAI, scripted: ScriptedBackend):
        scripted.script = Script(tokens=(), calls=self.CALLS)
        answer = client.chat.completions.create(
            model="polite", messages=ASK, tools=[WEATHER, TIME], tool_choice="auto"
        )
        choice = answer.choices[0]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content is None
        assert [call.function.arguments for call in choice.message.tool_calls] == [
            '{"place": "Oslo"}',
            '{"place": "Rome"}',
        ]
        asked = scripted.requests[0]
        assert [tool.name for tool in asked.tools] == ["weather", "time"]
        assert asked.parallel_tool_calls

    def test_calls_come_in_a_stream(self, client: openai.OpenAI, scripted: ScriptedBackend):
        scripted.script = Script(tokens=("Let me see.",), calls=self.CALLS)
        with client.chat.completions.stream(
            model="polite", messages=ASK, tools=[WEATHER]
        ) as stream:
            final = stream.get_final_completion()
        message = final.choices[0].message
        assert message.content == "Let me see."
        assert [call.id for call in message.tool_calls] == ["call_1", "call_2"]
        assert final.choices[0].finish_reason == "tool_calls"

    def test_a_named_tool_is_the_only_one(self, client: openai.OpenAI, scripted: ScriptedBackend):
        client.chat.completions.create(
            model="polite",
            messages=ASK,
            tools=[WEATHER, TIME],
            tool_choice={"type": "function", "function": {"name": "time"}},
            parallel_tool_calls=False,
        )
        asked = scripted.requests[0]
        assert [tool.name for tool in asked.tools] == ["time"]
        assert asked.tool_choice == "required"
        assert not asked.parallel_tool_calls

    def test_what_came_of_a_call_is_told_to_the_model(
        self, client: openai.OpenAI, scripted: ScriptedBackend
    ):
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": "{}"},
        }
        client.chat.completions.create(
            model="polite",
            tools=[WEATHER],
            messages=[
                *ASK,
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
            ],
        )
        assert scripted.requests[0].messages[1:] == (
            Message(
                role="assistant", content="", tool_calls=(ToolCall("call_1", "weather", "{}"),)
            ),
            Message(role="tool", content="Rain.", tool_call_id="call_1"),
        )

    @pytest.mark.parametrize(
        ("tools", "choice"),
        [([], "required"), ([WEATHER], {"type": "function", "function": {"name": "none"}})],
    )
    def test_a_choice_that_nothing_meets_is_refused(self, client: openai.OpenAI, tools, choice):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(
                model="polite", messages=ASK, tools=tools, tool_choice=choice
            )
        assert caught.value.param == "tool_choice"


class Person(BaseModel):
    name: str
    age: int


def test_a_schema_is_kept_to_and_read_back(client: openai.OpenAI, scripted: ScriptedBackend):
    scripted.script = Script(tokens=('{"name": "Ada",', ' "age": 36}'))
    answer = client.chat.completions.parse(model="polite", messages=ASK, response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)
    grammar = scripted.requests[0].grammar
    assert grammar.kind == "json_schema"
    assert '"age"' in grammar.text


def test_json_is_asked_for_as_any_object(client: openai.OpenAI, scripted: ScriptedBackend):
    client.chat.completions.create(
        model="polite", messages=ASK, response_format={"type": "json_object"}
    )
    assert scripted.requests[0].grammar == Grammar("json_schema", '{"type":"object"}')


def test_a_grammar_of_ones_own_comes_by_the_extension(
    client: openai.OpenAI, scripted: ScriptedBackend
):
    client.chat.completions.create(
        model="polite", messages=ASK, extra_body={"causeway": {"grammar": 'root ::= "yes"'}}
    )
    assert scripted.requests[0].grammar == Grammar("gbnf", 'root ::= "yes"')


def test_a_beginning_of_an_answer_is_gone_on_with(client: openai.OpenAI, scripted: ScriptedBackend):
    client.chat.completions.create(
        model="polite", messages=[*ASK, {"role": "assistant", "content": "Good"}]
    )
    assert scripted.requests[0].continue_last


PIXEL = "data:image/png;base64,aGVsbG8="


def test_a_model_that_sees_nothing_refuses_pictures_in_words(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="can't see pictures"):
        client.chat.completions.create(model="polite", messages=_with_picture(PIXEL))


def test_pictures_reach_a_model_that_sees(
    make_server: MakeServer, scripted: ScriptedBackend, model
):
    scripted.capabilities = msgspec.structs.replace(scripted.capabilities, images=True)
    server = make_server(scripted)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
        client.chat.completions.create(model="polite", messages=_with_picture(PIXEL))
    assert scripted.requests[0].messages[0].images == (Image("image/png", b"hello"),)


def test_nothing_is_fetched_for_a_picture(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="fetches nothing"):
        client.chat.completions.create(
            model="polite", messages=_with_picture("https://picture.example/a.png")
        )


def _with_picture(url: str) -> list:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return [{"role": "user", "content": parts}]


class TestErrors:
    def test_an_unknown_model_is_not_found(self, client: openai.OpenAI):
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="gpt-4o", messages=ASK)
        assert caught.value.code == "model_not_found"
        assert caught.value.param == "model"
        assert "polite" in caught.value.message

    def test_a_file_is_no_model_though_it_is_there(self, client: openai.OpenAI, other_model_file):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model=str(other_model_file), messages=ASK)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("temperature", 2.5),
            ("top_p", -1),
            ("n", 9),
            ("max_tokens", 0),
            ("logit_bias", {"hello": 1}),
            ("logit_bias", {"5": 101}),
            ("top_logprobs", 3),
            ("stop", ["a"] * 17),
            ("messages", []),
            ("response_format", {"type": "xml"}),
        ],
    )
    def test_what_is_out_of_range_is_named(self, client: openai.OpenAI, field, value):
        asked = {"model": "polite", "messages": ASK, field: value}
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(**asked)
        assert caught.value.param.startswith(field)
        assert caught.value.type == "invalid_request_error"

    def test_an_adapter_that_is_not_there_is_named(self, client: openai.OpenAI):
        body = {"causeway": {"adapters": [{"adapter": "pirate", "scale": 0.8}]}}
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="polite", messages=ASK, extra_body=body)
        assert caught.value.param == "causeway.adapters"
        assert "pirate" in caught.value.message

    @pytest.mark.parametrize("ref", ["/etc/passwd", "../a.gguf", "C:\\a", "a.gguf"])
    def test_no_file_is_taken_for_an_adapter(self, client: openai.OpenAI, ref):
        body = {"causeway": {"adapters": [{"adapter": ref}]}}
        with pytest.raises(openai.BadRequestError, match="no installed adapter"):
            client.chat.completions.create(model="polite", messages=ASK, extra_body=body)

    def test_a_crash_before_the_first_word_has_a_status(
        self, client: openai.OpenAI, scripted: ScriptedBackend
    ):
        scripted.script = Script(crash_at=0)
        for stream in (False, True):
            with pytest.raises(openai.InternalServerError) as caught:
                client.chat.completions.create(model="polite", messages=ASK, stream=stream)
            assert caught.value.status_code == 503
            assert "stopped working" in caught.value.message

    def test_an_answer_without_an_end_passes_for_none(
        self, client: openai.OpenAI, scripted: ScriptedBackend
    ):
        scripted.script = Script(break_at=0)
        with pytest.raises(openai.InternalServerError, match="without finishing"):
            client.chat.completions.create(model="polite", messages=ASK)
        scripted.script = Script(break_at=2)
        with pytest.raises(openai.APIError, match="without finishing"):
            list(client.chat.completions.create(model="polite", messages=ASK, stream=True))

    def test_a_crash_within_an_answer_is_told_in_the_stream(
        self, client: openai.OpenAI, scripted: ScriptedBackend
    ):
        scripted.script = Script(crash_at=2)
        stream = client.chat.completions.create(model="polite", messages=ASK, stream=True)
        pieces = []
        with pytest.raises(openai.APIError, match="stopped working"):
            pieces.extend(chunk.choices[0].delta.content for chunk in stream)
        scripted.script = Script()
        again = client.chat.completions.create(model="polite", messages=ASK)
        assert again.choices[0].message.content == "Hello, world."


class TestLeaving:
    """A client that goes away ends what is written for it."""

    @pytest.fixture
    def endless(self, scripted: ScriptedBackend) -> None:
        scripted.script = Script(tokens=("word ",) * 100_000, delay=0.01)

    def test_closing_a_stream_ends_the_answer(self, client: openai.OpenAI, server: Served, endless):
        stream = client.chat.completions.create(model="polite", messages=ASK, stream=True)
        next(stream)
        next(stream)
        stream.close()
        _wait_until(lambda: server.server.journal.rows()[0].phase == "cancelled")
        _wait_until(lambda: server.engines.state.phase == "ready")

    def test_so_does_giving_up_before_the_answer_is_there(self, server: Served, endless):
        with (
            openai.OpenAI(
                base_url=f"{server.url}/v1", api_key="any", timeout=0.5, max_retries=0
            ) as client,
            pytest.raises(openai.APITimeoutError),
        ):
            client.chat.completions.create(model="polite", messages=ASK)
        _wait_until(lambda: server.server.journal.rows()[0].phase == "cancelled")
        _wait_until(lambda: server.engines.state.phase == "ready")

    def test_the_others_go_on(self, client: openai.OpenAI, server: Served, endless):
        stays = client.chat.completions.create(model="polite", messages=ASK, stream=True)
        next(stays)
        leaves = client.chat.completions.create(model="polite", messages=ASK, stream=True)
        next(leaves)
        leaves.close()
        _wait_until(lambda: server.server.journal.rows()[0].phase == "cancelled")
        assert next(stays).choices
        stays.close()
        _wait_until(lambda: server.engines.state.phase == "ready")


class TestOnARealWorker:
    def test_it_answers(self, real_server: Served):
        with openai.OpenAI(base_url=f"{real_server.url}/v1", api_key="any") as client:
            answer = client.chat.completions.create(
                model="default", messages=ASK, temperature=0, logprobs=True, top_logprobs=3
            )
            assert answer.choices[0].message.content == "Good morning."
            assert all(
                len(token.top_logprobs) == 3 and math.isfinite(token.logprob)
                for token in answer.choices[0].logprobs.content
            )
            again = client.chat.completions.create(model="polite", messages=ASK, temperature=0)
            assert again.usage.prompt_tokens_details.cached_tokens > 0

    def test_a_prompt_that_is_too_long_is_refused(self, real_server: Served):
        long = [{"role": "user", "content": "hello " * 2000}]
        with openai.OpenAI(base_url=f"{real_server.url}/v1", api_key="any") as client:
            for stream in (False, True):
                with pytest.raises(openai.BadRequestError) as caught:
                    client.chat.completions.create(model="polite", messages=long, stream=stream)
                assert caught.value.code == "context_length_exceeded"

    def test_a_schema_that_nothing_meets_is_refused(self, real_server: Served):
        schema = {"name": "odd", "schema": {"type": "no such type"}}
        with openai.OpenAI(base_url=f"{real_server.url}/v1", api_key="any") as client:
            with pytest.raises(openai.BadRequestError) as caught:
                client.chat.completions.create(
                    model="polite",
                    messages=ASK,
                    response_format={"type": "json_schema", "json_schema": schema},
                )
            assert caught.value.code == "invalid_schema"

    def test_a_number_that_is_no_token_of_the_model_harms_nothing(self, real_server: Served):
        with openai.OpenAI(base_url=f"{real_server.url}/v1", api_key="any") as client:
            with contextlib.suppress(openai.BadRequestError):
                client.chat.completions.create(
                    model="polite", messages=ASK, logit_bias={"99999999": 5}
                )
            answer = client.chat.completions.create(model="polite", messages=ASK)
        assert answer.choices[0].message.content == "Good morning."


def _wait_until(holds) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("fields", "think"),
    [
        ({}, None),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "low"}, True),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({"causeway": {"options": {"thinking": "on"}}}, True),
    ],
)
def test_whether_the_model_is_to_think_is_passed_on(client, server: Served, fields, think):
    client.chat.completions.create(model="polite", messages=ASK, extra_body=fields)
    assert server.backend.requests[-1].think is think
