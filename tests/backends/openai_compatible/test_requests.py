"""What is sent, service by service."""

import base64
from typing import Any

import pytest

from backends.errors import BadGrammar, Unsupported
from backends.openai_compatible.providers import PROVIDERS, provider_of
from backends.openai_compatible.requests import Asked, asked_of
from backends.openai_compatible.strict import is_strict
from backends.protocol import (
    AppliedAdapter,
    ChatRequest,
    Grammar,
    Image,
    Message,
    Sampling,
    TokenBias,
    Tool,
    ToolCall,
)

HELLO = (Message(role="user", content="Hello"),)


def asked(provider: str = "custom", **fields: Any) -> Asked:
    fields.setdefault("messages", HELLO)
    return asked_of(ChatRequest(**fields), "m", provider_of(provider), "Words", 11)


def body(provider: str = "custom", **fields: Any) -> Any:
    return asked(provider, **fields).body


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("openai", {"temperature", "top_p", "seed", "max_completion_tokens", "stream_options"}),
        ("anthropic", {"temperature", "max_tokens", "stream_options"}),
        ("mistral", {"temperature", "top_p", "random_seed", "max_tokens"}),
        ("groq", {"temperature", "top_p", "seed", "max_completion_tokens", "stream_options"}),
        ("deepseek", {"temperature", "top_p", "max_tokens", "stream_options"}),
        ("ollama", {"temperature", "top_p", "seed", "max_tokens", "stream_options"}),
    ],
)
def test_a_service_gets_only_the_fields_that_it_takes(provider: str, fields: set[str]) -> None:
    sent = body(provider, sampling=Sampling(mirostat=2, xtc_probability=0.5), max_tokens=5)
    assert {*sent} == fields | {"model", "messages", "stream"}


def test_a_server_of_llama_cpp_gets_the_samplers_that_are_on() -> None:
    sampling = Sampling(dry_multiplier=0.8, order=("top_k", "temperature"), top_k=0)
    sent = body("llama-server", sampling=sampling)
    assert sent["dry_multiplier"] == 0.8
    assert sent["top_k"] == 0
    assert sent["samplers"] == ["top_k", "temperature"]
    assert not {"mirostat", "xtc_probability", "dry_penalty_last_n"} & {*sent}


def test_only_what_somebody_chose_is_sent_where_that_is_known() -> None:
    sent = body("openrouter", sampling=Sampling(top_p=0.5), chosen=("top_p",))
    assert sent["top_p"] == 0.5
    assert not {"temperature", "top_k", "min_p"} & {*sent}


def test_what_a_service_does_not_bear_is_brought_within_its_bounds() -> None:
    hot = Sampling(temperature=5, top_p=0, logit_bias=(TokenBias(3, -1e9),))
    assert body("anthropic", sampling=hot)["temperature"] == 1
    sent = body("openai", sampling=hot)
    assert sent["temperature"] == 2
    assert 0 < sent["top_p"] < 0.01
    assert sent["logit_bias"] == {"3": -100}


def test_a_seed_is_drawn_told_and_sent() -> None:
    assert asked(sampling=Sampling(seed=7)).seed == 7
    assert asked().seed == asked().body["seed"] == 11
    assert asked("anthropic", sampling=Sampling(seed=7)).seed == 0


def test_biases_that_can_t_be_passed_on_are_told() -> None:
    both = Sampling(logit_bias=(TokenBias(3, 1), TokenBias("word", 1)))
    assert len(asked("openai", sampling=both).warnings) == 1
    assert len(asked("mistral", sampling=both).warnings) == 1
    assert not asked("openai").warnings


def test_no_more_stop_texts_are_sent_than_are_taken() -> None:
    stops = tuple("abcdefgh")
    assert body("openai", stop=stops)["stop"] == list("abcd")
    assert body("llama-server", stop=stops)["stop"] == list(stops)


def test_a_whole_conversation_is_passed_on() -> None:
    call = ToolCall("call_1", "clock", '{"zone": "UTC"}')
    messages = (
        Message(role="system", content="Be brief."),
        *HELLO,
        Message(role="assistant", content="", tool_calls=(call,), reasoning="The clock."),
        Message(role="tool", content="12:00", tool_call_id="call_1"),
    )
    sent = body("deepseek", messages=messages)["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]
    assert sent[2]["tool_calls"][0]["function"] == {"name": "clock", "arguments": '{"zone": "UTC"}'}
    assert sent[2]["content"] is None
    assert sent[2]["reasoning_content"] == "The clock."
    assert sent[3]["tool_call_id"] == "call_1"
    assert "reasoning_content" not in body("openai", messages=messages)["messages"][2]
    later = (*messages, Message(role="user", content="Thanks"))
    assert "reasoning_content" not in body("deepseek", messages=later)["messages"][2]


def test_pictures_go_inside_of_the_message() -> None:
    picture = Image("image/png", b"\x89PNG")
    messages = (Message(role="user", content="What?", images=(picture,)),)
    parts = body(messages=messages)["messages"][0]["content"]
    assert parts[0] == {"type": "text", "text": "What?"}
    data = base64.b64encode(picture.data).decode()
    assert parts[1]["image_url"]["url"] == f"data:image/png;base64,{data}"


def test_tools_are_passed_on() -> None:
    sent = body(tools=(Tool(name="clock"),), tool_choice="required", parallel_tool_calls=False)
    assert sent["tools"][0]["function"]["parameters"]["type"] == "object"
    assert sent["tool_choice"] == "required"
    assert sent["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in body(tools=(Tool(name="clock"),))


def test_a_schema_is_strict_only_where_it_can_be() -> None:
    closed = (
        '{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], '
        '"additionalProperties": false}'
    )
    strict = body(grammar=Grammar("json_schema", closed))["response_format"]
    assert strict["json_schema"]["strict"] is True
    open_one = '{"type": "object", "properties": {"a": {}}}'
    loose = body(grammar=Grammar("json_schema", open_one))["response_format"]
    assert loose["json_schema"]["strict"] is False
    assert not is_strict({"type": "object", "properties": {}, "required": 5})


def test_any_object_is_asked_for_as_such_where_there_is_a_way() -> None:
    grammar = Grammar("json_schema", '{"type": "object"}')
    assert body("deepseek", grammar=grammar)["response_format"] == {"type": "json_object"}
    assert body("lm-studio", grammar=grammar)["response_format"]["type"] == "json_schema"


def test_a_grammar_goes_where_the_service_has_it() -> None:
    grammar = Grammar("gbnf", 'root ::= "a"')
    assert body("llama-server", grammar=grammar)["grammar"] == grammar.text
    assert body("vllm", grammar=grammar)["structured_outputs"] == {"grammar": grammar.text}


def test_going_on_with_an_answer_is_asked_for_in_the_service_s_way() -> None:
    begun = (*HELLO, Message(role="assistant", content="Hi"))
    mistral = body("mistral", messages=begun, continue_last=True)
    assert mistral["messages"][-1]["prefix"] is True
    deepseek = asked("deepseek", messages=begun, continue_last=True)
    assert deepseek.url.endswith("/beta")
    assert body("vllm", messages=begun, continue_last=True)["continue_final_message"] is True
    assert not asked("deepseek", messages=begun).url


def test_a_plain_text_takes_the_place_of_messages() -> None:
    sent = asked("llama-server", prompt="Once", logprobs=9)
    assert sent.path == "/completions"
    assert sent.body["prompt"] == "Once"
    assert sent.body["logprobs"] == 5
    assert "messages" not in sent.body


def test_halves_of_characters_are_not_sent() -> None:
    sent = body(messages=(Message(role="user", content="a\ud800b"),))
    assert sent["messages"][0]["content"] == "a?b"


PICTURE = (Message(role="user", content="", images=(Image("image/png", b""),)),)
TIFF = (Message(role="user", content="", images=(Image("image/tiff", b""),)),)


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("openai", {"prompt": "Once"}),
        ("openai", {"continue_last": True}),
        ("openai", {"adapters": (AppliedAdapter("x.gguf"),)}),
        ("openai", {"grammar": Grammar("gbnf", "root ::= [a]")}),
        ("anthropic", {"grammar": Grammar("json_schema", '{"type": "object"}')}),
        ("deepseek", {"grammar": Grammar("json_schema", '{"type": "array"}')}),
        ("groq", {"logprobs": 1}),
        ("deepseek", {"messages": PICTURE}),
        ("openai", {"messages": TIFF}),
        ("openai", {"tools": (Tool(name="not a name"),)}),
    ],
)
def test_what_a_service_can_t_do_is_refused_in_words(provider: str, fields: Any) -> None:
    with pytest.raises(Unsupported) as error:
        asked(provider, **fields)
    assert error.value.what


@pytest.mark.parametrize("schema", ["", "[]", "{", "[" * 99_999])
def test_a_schema_that_is_none_is_refused(schema: str) -> None:
    with pytest.raises(BadGrammar):
        asked(grammar=Grammar("json_schema", schema))
    with pytest.raises(BadGrammar):
        asked(tools=(Tool(name="f", parameters=schema),))


def test_every_sampler_of_every_service_is_one_of_ours() -> None:
    for provider in PROVIDERS:
        for ours in provider.samplers:
            assert ours in Sampling.__struct_fields__
