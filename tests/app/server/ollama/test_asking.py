"""What is made of a request of the Ollama API."""

import base64

import msgspec
import pytest

from app.server.asked import Asked
from app.server.failures import Failure
from app.server.ollama_api.asking import asked_in_chat, asked_to_generate
from app.server.ollama_api.requests import ChatRequest, GenerateRequest
from backends.protocol import Grammar, Image, Message, Tool, ToolCall

PNG = b"\x89PNG\r\n\x1a\n and more"


def chat(**fields: object) -> Asked:
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], **fields}
    return asked_in_chat(msgspec.json.decode(msgspec.json.encode(body), type=ChatRequest), "tiny")


def generate(*, as_it_stands: bool = False, **fields: object) -> Asked:
    body = {"model": "tiny", "prompt": "Once", **fields}
    request = msgspec.json.decode(msgspec.json.encode(body), type=GenerateRequest)
    return asked_to_generate(request, "tiny", as_it_stands=as_it_stands)


def test_a_chat_is_its_messages():
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
    ]
    request = chat(messages=messages)
    assert request.messages == (
        Message(role="system", content="Be kind."),
        Message(role="user", content="Hello"),
    )
    assert request.options == {}
    assert not request.continue_last


def test_an_answer_at_the_end_is_gone_on_with():
    assert chat(messages=[{"role": "assistant", "content": "Once upon"}]).continue_last


def test_options_keep_their_meaning():
    request = chat(
        options={
            "temperature": 0,
            "top_k": 20.0,
            "top_p": 0.9,
            "min_p": 0.1,
            "typical_p": 0.7,
            "repeat_last_n": 33,
            "repeat_penalty": 1.2,
            "presence_penalty": 1.5,
            "frequency_penalty": 1.0,
            "mirostat": 1,
            "mirostat_tau": 0.8,
            "mirostat_eta": 0.6,
            "seed": 42,
            "num_predict": 100,
            "stop": ["\n", "user:"],
            "num_ctx": 1024,
            "num_gpu": 1,
            "numa": False,
        }
    )
    assert request.options == {
        "temperature": 0,
        "top_k": 20,
        "top_p": 0.9,
        "min_p": 0.1,
        "typical_p": 0.7,
        "repeat_last_n": 33,
        "repeat_penalty": 1.2,
        "presence_penalty": 1.5,
        "frequency_penalty": 1.0,
        "mirostat": 1,
        "mirostat_tau": 0.8,
        "mirostat_eta": 0.6,
        "seed": 42,
        "max_tokens": 100,
    }
    assert request.stop == ("\n", "user:")


@pytest.mark.parametrize(
    ("given", "key", "meant"),
    [
        ({"top_k": 1000}, "top_k", 200),
        ({"top_k": -1}, "top_k", 0),
        ({"num_predict": -2}, "max_tokens", -1),
        ({"num_predict": 10**12}, "max_tokens", 1_000_000),
        ({"repeat_last_n": -1}, "repeat_last_n", -1),
        ({"seed": -1}, "seed", -1),
        ({"seed": 2**40 + 7}, "seed", 7),
    ],
)
def test_what_ollama_allows_beyond_our_bounds_still_works(
    given: dict[str, object], key: str, meant: int
):
    assert chat(options=given).options == {key: meant}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"options": {"temperature": 9}}, "options.temperature"),
        ({"options": {"top_k": 1.5}}, "options.top_k"),
        ({"options": {"seed": 0.5}}, "options.seed"),
        ({"options": {"stop": ["x"] * 65}}, "options.stop"),
        ({"format": "xml"}, "format"),
        ({"think": "hard"}, "think"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "images": ["@"]}]}, "messages.0.images.0"),
        ({"messages": [{"role": "user", "images": ["AAAA"]}]}, "messages.0.images.0"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, object], param: str):
    with pytest.raises(Failure) as caught:
        chat(**fields)
    assert caught.value.status == 400
    assert caught.value.param == param


def test_formats_become_grammars():
    assert chat(format="json").grammar == Grammar("json_schema", '{"type": "object"}')
    assert chat(format={"type": "integer"}).grammar == Grammar("json_schema", '{"type":"integer"}')
    assert chat(format="").grammar is None


def test_pictures_are_known_by_their_first_bytes():
    message = {"role": "user", "content": "What?", "images": [base64.b64encode(PNG).decode()]}
    assert chat(messages=[message]).messages[0].images == (Image("image/png", PNG),)


def test_results_find_their_calls():
    def call(place: str) -> dict[str, object]:
        return {"function": {"name": "weather", "arguments": {"place": place}}}

    messages = [
        {"role": "assistant", "tool_calls": [call("Bonn"), call("Cologne")]},
        {"role": "tool", "tool_name": "weather", "content": "Rain"},
        {"role": "tool", "tool_name": "weather", "content": "Sun"},
        {"role": "tool", "content": "Of nobody"},
    ]
    answer, *results = chat(messages=messages).messages
    assert answer.tool_calls == (
        ToolCall("call_0_0", "weather", '{"place":"Bonn"}'),
        ToolCall("call_0_1", "weather", '{"place":"Cologne"}'),
    )
    assert [each.tool_call_id for each in results] == ["call_0_0", "call_0_1", ""]


def test_results_that_name_their_call_get_it():
    calls = [{"id": each, "function": {"name": "weather"}} for each in ("a", "b")]
    messages = [
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "b", "content": "Sun"},
        {"role": "tool", "tool_name": "weather", "content": "Rain"},
    ]
    _, first, second = chat(messages=messages).messages
    assert (first.tool_call_id, second.tool_call_id) == ("b", "a")


def test_tools_keep_their_schemas():
    function = {"name": "clock", "description": "The time.", "parameters": {"type": "object"}}
    assert chat(tools=[{"type": "function", "function": function}]).tools == (
        Tool(name="clock", description="The time.", parameters='{"type":"object"}'),
    )


def test_log_probabilities_are_asked_for():
    assert chat().logprobs == -1
    assert chat(logprobs=True).logprobs == 0
    assert chat(logprobs=True, top_logprobs=3).logprobs == 3
    assert chat(top_logprobs=3).logprobs == -1


def test_generating_asks_as_a_user():
    request = generate(system="Be brief.", images=[base64.b64encode(PNG).decode()])
    assert request.prompt is None
    assert request.messages == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Once", images=(Image("image/png", PNG),)),
    )


def test_a_prompt_that_stands_as_it_is_goes_on():
    assert generate(as_it_stands=True).prompt == "Once"
    assert generate(as_it_stands=True, system="A tale.").prompt == "A tale.\n\nOnce"
    assert generate(as_it_stands=True, system="A tale.", raw=True).prompt == "Once"


@pytest.mark.parametrize("name", ["template", "context"])
def test_what_generating_lacks_is_refused(name: str):
    with pytest.raises(Failure, match=name):
        generate(**{name: [1] if name == "context" else "x"})
    assert generate(**{name: [] if name == "context" else ""})


def test_extensions_of_ours_are_taken():
    ours = {"options": {"min_p": 0.2}, "grammar": 'root ::= "a"'}
    request = chat(options={"min_p": 0.1}, causeway=ours)
    assert request.options["min_p"] == 0.2
    assert request.grammar == Grammar("gbnf", 'root ::= "a"')
    assert chat(format="json", causeway=ours).grammar.kind == "json_schema"


@pytest.mark.parametrize(
    ("think", "option"), [(None, None), (True, "on"), (False, "off"), ("low", "on")]
)
def test_whether_to_think_is_asked(think, option):
    assert chat(think=think).options.get("thinking") == option
