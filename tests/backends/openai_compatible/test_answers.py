"""What comes, in all the ways in which services send it."""

from typing import Any

import pytest

from backends.errors import BadAnswer, Unsupported
from backends.protocol import (
    ChatRequest,
    Embeddings,
    Event,
    Logprobs,
    Message,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    Usage,
)
from backends.testing import HELLO, last, text_of
from tests.backends.openai_compatible.conftest import Connect
from tests.backends.openai_compatible.openai_server import (
    WORDS,
    OpenAIServer,
    Reply,
    chunks,
    delta,
    said,
)

END = delta(finish_reason="stop")


def thoughts_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def calls_of(events: list[Event]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize(
    "values",
    [
        (delta(reasoning_content="Two"), delta(reasoning_content=" plus"), delta(content="Four")),
        (delta(reasoning="Two"), delta(reasoning=" plus"), delta(content="Four")),
        (delta(reasoning="Two plus", reasoning_content="Two plus"), delta(content="Four")),
        (delta(content="<thi"), delta(content="nk>Two plus</think>"), delta(content="\n\nFour")),
        (delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Two plus"}]}]),
         delta(content=[{"type": "text", "text": "Four"}])),
    ],
)  # fmt: skip
def test_thinking_is_told_from_the_answer(
    server: OpenAIServer, connect: Connect, values: Any
) -> None:
    server.script = [chunks(*values, END)]
    events = list(connect().chat(HELLO))
    assert thoughts_of(events) == "Two plus"
    assert text_of(events) == "Four"


def piece(**fields: Any) -> Any:
    index, id = fields.pop("index", None), fields.pop("id", None)
    call = {"index": index, "id": id, "type": "function", "function": fields}
    return delta(tool_calls=[{name: value for name, value in call.items() if value is not None}])


@pytest.mark.parametrize(
    "values",
    [
        (piece(index=0, id="a", name="clock", arguments=""), piece(index=0, arguments='{"z"'),
         piece(index=0, arguments=": 1}"), piece(index=1, id="b", name="sum", arguments="{}")),
        (piece(id="a", name="clock", arguments='{"z": 1}'), piece(id="b", name="sum")),
        (piece(index=0, id="a", name="clock", arguments='{"z": 1}'),
         piece(index=0, id="b", name="sum", arguments="{}")),
        (piece(index=0, id="a", name="clock", arguments={"z": 1}),
         piece(index=1, id="b", name="sum", arguments={})),
    ],
)  # fmt: skip
def test_calls_of_tools_are_put_together(
    server: OpenAIServer, connect: Connect, values: Any
) -> None:
    server.script = [chunks(*values, delta(finish_reason="tool_calls"))]
    events = list(connect().chat(HELLO))
    assert [(call.id, call.name) for call in calls_of(events)] == [("a", "clock"), ("b", "sum")]
    assert [call.arguments.replace(" ", "") for call in calls_of(events)] == ['{"z":1}', "{}"]
    assert last(events).reason == "stop"


def test_calls_without_an_id_get_one_each(server: OpenAIServer, connect: Connect) -> None:
    calls = [{"function": {"name": name, "arguments": "{}"}} for name in ("f", "g")]
    server.script = [chunks(delta(tool_calls=calls), END)]
    ids = [call.id for call in calls_of(list(connect().chat(HELLO)))]
    assert len({*ids}) == 2


def test_the_usage_is_told_with_what_was_cached(server: OpenAIServer, connect: Connect) -> None:
    events = list(connect().chat(HELLO))
    assert last(events).usage == Usage(
        prompt_tokens=7, cached_tokens=3, completion_tokens=len(WORDS)
    )


@pytest.mark.parametrize(
    "usage",
    [
        {"usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 8}},
        {"x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 4,
                              "prompt_tokens_details": {"cached_tokens": 8}}}},
    ],
)  # fmt: skip
def test_the_usage_is_found_where_services_put_it(
    server: OpenAIServer, connect: Connect, usage: Any
) -> None:
    server.script = [chunks(delta(content="Hi"), END | usage)]
    told = last(list(connect().chat(HELLO))).usage
    assert told == Usage(prompt_tokens=9, cached_tokens=8, completion_tokens=4)


def test_an_answer_is_cut_at_a_stop_text_that_the_service_passed_over(
    server: OpenAIServer, connect: Connect
) -> None:
    server.script = [chunks(*(delta(content=text) for text in ("One", " ST", "OP two")), END)]
    request = ChatRequest(messages=HELLO.messages, stop=("STOP",))
    events = list(connect().chat(request))
    assert text_of(events) == "One "
    assert last(events).stop_text == "STOP"
    assert last(events).usage.completion_tokens > 0


def test_what_only_began_like_a_stop_text_is_kept(server: OpenAIServer, connect: Connect) -> None:
    server.script = [said("One ST")]
    request = ChatRequest(messages=HELLO.messages, stop=("STOP",))
    assert text_of(list(connect().chat(request))) == "One ST"


def test_an_endless_answer_is_hung_up_at_the_stop_text(
    server: OpenAIServer, connect: Connect
) -> None:
    server.script = ["endless"]
    request = ChatRequest(messages=HELLO.messages, stop=(" word word",))
    assert last(list(connect().chat(request))).stop_text == " word word"
    assert server.requests[0].gone.wait(60)


def test_the_probabilities_of_words_are_told(server: OpenAIServer, connect: Connect) -> None:
    top = [{"token": "Hi", "logprob": -0.1}, {"token": "Ho", "logprob": None}]
    item = {"token": "Hi", "logprob": -0.1, "top_logprobs": top}
    value = delta(content="Hi")
    value["choices"][0]["logprobs"] = {"content": [item]}
    server.script = [chunks(value, END)]
    request = ChatRequest(messages=HELLO.messages, logprobs=2)
    events = list(connect().chat(request))
    told = next(event for event in events if isinstance(event, Logprobs)).tokens[0]
    assert (told.text, told.logprob) == ("Hi", -0.1)
    assert [text for text, _ in told.top] == ["Hi", "Ho"]
    assert server.bodies[0]["top_logprobs"] == 2


def test_a_text_is_gone_on_with(server: OpenAIServer, connect: Connect) -> None:
    events = list(connect().chat(ChatRequest(prompt="Once")))
    assert text_of(events) == "".join(WORDS)
    assert server.requests[0].path == "/v1/completions"


def test_a_begun_answer_keeps_the_space_it_goes_on_with(
    server: OpenAIServer, connect: Connect
) -> None:
    server.script = [said(" friend")]
    messages = (*HELLO.messages, Message(role="assistant", content="Hello"))
    request = ChatRequest(messages=messages, continue_last=True)
    session = connect(provider="llama-server")
    assert text_of(list(session.chat(request))) == " friend"


def test_the_first_word_comes_before_the_last_is_known(
    server: OpenAIServer, connect: Connect
) -> None:
    server.script = ["stall"]
    stream = connect().chat(HELLO)
    assert next(stream) == TextDelta(WORDS[0])
    stream.close()


def test_many_texts_are_asked_for_in_portions_and_come_in_order(
    server: OpenAIServer, connect: Connect
) -> None:
    texts = ["x" * (number % 9 + 1) for number in range(150)]
    made = connect().embed(texts)
    assert len(server.requests) == 3
    assert made.tokens == 150
    for text, vector in zip(texts, made.vectors, strict=True):
        assert vector[0] / vector[1] == pytest.approx(len(text))


def test_vectors_in_base64_are_read(server: OpenAIServer, connect: Connect) -> None:
    item = {"index": 0, "embedding": "AABAQAAAgEA="}  # 3 and 4
    server.script = [Reply(body={"data": [item]})]
    assert connect().embed(["x"]) == Embeddings(
        vectors=((pytest.approx(0.6), pytest.approx(0.8)),), tokens=0
    )


@pytest.mark.parametrize(
    "data",
    [
        [], [{"embedding": []}], [{"embedding": [0, 0]}], [{"embedding": ["x"]}],
        [{"embedding": [[1, 2]]}], [{"embedding": "***"}], [{"embedding": "AADAfw=="}],
        [{"embedding": [1]}, {"embedding": [1]}], {}, [5], [{"embedding": [1e400]}],
    ],
)  # fmt: skip
def test_what_are_no_vectors_is_no_answer(
    server: OpenAIServer, connect: Connect, data: Any
) -> None:
    server.script = [Reply(body={"data": data})]
    with pytest.raises(BadAnswer):
        connect().embed(["x"])


def test_a_service_without_vectors_says_so(connect: Connect) -> None:
    with pytest.raises(Unsupported):
        connect(provider="anthropic", key="sk-key").embed(["x"])
    with pytest.raises(Unsupported):
        connect().count_tokens(HELLO.messages)
