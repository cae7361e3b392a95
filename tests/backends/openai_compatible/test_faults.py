"""What a service may do wrong, and what becomes of it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from backends.errors import (
    BackendError,
    BadAnswer,
    BadKey,
    ModelGone,
    NoCredit,
    PromptTooLong,
    RateLimited,
    Unreachable,
)
from backends.protocol import Finished, TextDelta, Warned
from backends.testing import HELLO, last, text_of
from tests.backends.openai_compatible.conftest import QUICK, backend_at, replaced
from tests.backends.openai_compatible.openai_server import (
    WORDS,
    OpenAIServer,
    Reply,
    chunks,
    delta,
    said,
)

LONG = replaced(QUICK, first_byte=120, stall=120)
SHORT = replaced(QUICK, first_byte=0.3, stall=0.3)


@pytest.fixture
def deaf_url() -> Iterator[str]:
    """Of a service that takes no connection, so that whoever connects waits."""
    with contextlib.ExitStack() as sockets:
        deaf = sockets.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(3):
            filling = sockets.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(deaf.getsockname())
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"


def failure(session, request=HELLO) -> BackendError:
    with pytest.raises(BackendError) as error:
        list(session.chat(request))
    return error.value


@pytest.mark.parametrize("fault", ["mute", "drip headers", "silent", "comments", "stall"])
def test_a_service_that_sends_nothing_more_is_given_up(server, connect, fault) -> None:
    server.script = [fault]
    assert isinstance(failure(connect(patience=SHORT)), Unreachable)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_an_answer_that_breaks_off_keeps_its_beginning_and_is_not_asked_again(
    server, connect, fault
) -> None:
    server.script = [fault]
    events = []
    with pytest.raises(Unreachable, match="broke off"):
        events.extend(connect().chat(HELLO))
    server.script = [fault]
    stream = connect().chat(HELLO)
    assert next(stream) == TextDelta(WORDS[0])
    with pytest.raises(Unreachable):
        list(stream)
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", ["garbage", "binary", "web page", "endless line", "compressed"])
def test_what_is_no_answer_is_said_to_be_none(server, connect, fault) -> None:
    server.script = [fault]
    error = failure(connect())
    assert isinstance(error, BadAnswer)
    assert error.why


def test_a_server_of_something_else_is_no_service(server, connect) -> None:
    server.script = ["no http"]
    assert isinstance(failure(connect()), BadAnswer)


@pytest.mark.parametrize("fault", ["no done", "no usage", "open after done", "carriage returns"])
def test_an_answer_is_whole_without_all_that_should_follow_it(server, connect, fault) -> None:
    server.script = [fault]
    events = list(connect().chat(HELLO))
    assert text_of(events) == "".join(WORDS)
    assert last(events).reason == "stop"
    assert last(events).usage.completion_tokens == len(WORDS)


def test_nothing_is_waited_for_long_after_the_last_word(server, connect, monkeypatch) -> None:
    monkeypatch.setattr("backends.openai_compatible.streaming._TAIL_SECONDS", 0.1)
    server.script = ["no end"]
    began = time.monotonic()
    assert last(list(connect(patience=LONG).chat(HELLO))).reason == "stop"
    assert time.monotonic() - began < LONG.stall


def test_an_answer_in_one_piece_is_read_too(server, connect) -> None:
    server.script = ["json"]
    events = list(connect().chat(HELLO))
    assert text_of(events) == "Hello there"
    assert last(events).usage.prompt_tokens == 5


@pytest.mark.parametrize("fault", ["json error", "error in stream"])
def test_an_error_in_the_place_of_an_answer_is_quoted(server, connect, fault) -> None:
    server.script = [fault]
    error = failure(connect())
    assert isinstance(error, BadAnswer)
    assert "No such luck." in error.why or "fell over" in error.why


REFUSALS = [
    (401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, BadKey),
    (403, {"error": {"message": "Country not supported"}}, BadKey),
    (401, b"", BadKey),
    (402, {"error": {"message": "Insufficient Balance"}}, NoCredit),
    (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
     NoCredit),
    (400, {"error": {"message": "Your credit balance is too low to access the API."}}, NoCredit),
    (400, {"error": {"message": "Too long", "code": "context_length_exceeded"}}, PromptTooLong),
    (400, {"error": {"code": 400, "message": "the request exceeds the available context size",
                     "type": "exceed_context_size_error"}}, PromptTooLong),
    (400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}},
     PromptTooLong),
    (400, {"object": "error", "message": "Prompt contains 40000 tokens, too large for model with "
           "32768 maximum context length"}, PromptTooLong),
    (400, {"error": {"message": "Requested tokens (600) exceed context window of 512"}},
     PromptTooLong),
    (413, b"", PromptTooLong),
    (404, {"error": {"message": "The model `gpt-9` does not exist", "code": "model_not_found"}},
     ModelGone),
    (404, {"error": 'model "x" not found, try pulling it first'}, ModelGone),
    (400, {"error": {"message": "x is not a valid model ID", "code": 400}}, ModelGone),
    (400, {"error": {"message": "The model `x` has been decommissioned"}}, ModelGone),
    (404, {"detail": "Not Found"}, BadAnswer),
    (404, b"<html>nginx</html>", BadAnswer),
    (400, {"error": {"message": "messages: at least one is required"}}, BadAnswer),
    (422, {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required"}]}, BadAnswer),
    (400, b'{"error": null}', BadAnswer),
    (400, b"[" * 100_000, BadAnswer),
    (418, b"\xff\xfe", BadAnswer),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_a_refusal_is_told_by_what_it_is_about(server, connect, status, body, kind) -> None:
    server.script = [Reply(status=status, body=body)]
    error = failure(connect(key="sk-something"))
    assert type(error) is kind
    assert "Words" in error.what or kind is PromptTooLong
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_what_may_pass_is_asked_again(server, connect, status) -> None:
    server.script = [Reply(status=status), Reply(status=status)]
    assert text_of(list(connect().chat(HELLO))) == "".join(WORDS)
    assert len(server.requests) == 3


def test_a_service_that_stays_busy_is_asked_three_times_in_all(server, connect) -> None:
    server.script = [Reply(status=500, body={"error": {"message": "Overloaded"}})] * 9
    error = failure(connect())
    assert isinstance(error, BadAnswer)
    assert "Overloaded" in error.why
    assert len(server.requests) == 3


def test_the_wait_that_a_service_asks_for_is_kept(server, connect) -> None:
    server.script = [Reply(status=429, headers={"Retry-After": "0.3"})]
    began = time.monotonic()
    list(connect().chat(HELLO))
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("headers", "message", "seconds", "words"),
    [
        ({"Retry-After": "30"}, "", 30, "30 seconds"),
        ({"retry-after-ms": "90000"}, "", 90, "90 seconds"),
        ({}, "Rate limit reached. Please try again in 7m30s.", 450, "8 minutes"),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, "", 1e7, "hours"),
    ],
)
def test_a_wait_that_is_too_long_is_told_instead(
    server, connect, headers, message, seconds, words
) -> None:
    server.script = [Reply(status=429, headers=headers, body={"error": {"message": message}})]
    error = failure(connect())
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == seconds
    assert words in error.why
    assert len(server.requests) == 1


def test_a_limit_without_a_wait_is_told_as_such(server, connect) -> None:
    server.script = [Reply(status=429)] * 3
    error = failure(connect())
    assert isinstance(error, RateLimited)
    assert error.wait_seconds is None


def test_a_field_that_a_model_does_not_take_is_left_out_and_told_once(server, connect) -> None:
    message = "Unsupported value: 'temperature' does not support 0 with this model."
    refusal = {"error": {"message": message, "param": "temperature", "code": "unsupported_value"}}
    server.script = [Reply(status=400, body=refusal)]
    session = connect()
    events = list(session.chat(HELLO))
    assert text_of(events) == "".join(WORDS)
    assert sum(isinstance(event, Warned) for event in events) == 1
    assert not any(isinstance(event, Warned) for event in session.chat(HELLO))
    assert ["temperature" in body for body in server.bodies] == [True, False, False]


def test_the_limit_of_tokens_is_called_as_the_model_wants_it(server, connect) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    server.script = [Reply(status=400, body={"error": {"message": message}})]
    events = list(connect().chat(HELLO))
    assert not any(isinstance(event, Warned) for event in events)
    assert server.bodies[1]["max_completion_tokens"] == HELLO.max_tokens
    assert "max_tokens" not in server.bodies[1]


def test_a_service_that_refuses_every_field_is_not_asked_without_end(server, connect) -> None:
    message = "Unsupported: temperature, top_p, seed, max_tokens, max_completion_tokens, stop"
    server.script = [Reply(status=400, body={"error": {"message": message}})] * 50
    assert isinstance(failure(connect()), BadAnswer)
    assert len(server.requests) < 12


def test_where_nothing_listens_it_is_said_at_once(connect) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = failure(connect(url=f"http://127.0.0.1:{port}/v1", patience=replaced(QUICK, pause=60)))
    assert isinstance(error, Unreachable)
    assert "Nothing runs" in error.why


def test_a_name_that_nobody_knows_is_unreachable(connect) -> None:
    error = failure(connect(url="https://nowhere.invalid/v1"))
    assert isinstance(error, Unreachable)


def test_plain_http_where_encryption_is_wanted_is_told(server, connect) -> None:
    error = failure(connect(url=server.url.replace("http:", "https:")))
    assert isinstance(error, Unreachable)
    assert "https://" in error.fix


def test_a_connection_is_kept_for_the_next_request(server, connect) -> None:
    session = connect()
    for _ in range(3):
        list(session.chat(HELLO))
    assert server.connections == 1


def test_a_kept_connection_that_has_ended_meanwhile_is_made_anew(connect) -> None:
    with OpenAIServer(keeps=False) as server:
        session = connect(url=server.url)
        for _ in range(3):
            assert text_of(list(session.chat(HELLO))) == "".join(WORDS)


def test_a_redirect_within_the_service_is_followed(server, connect) -> None:
    server.script = ["redirect within"]
    assert text_of(list(connect().chat(HELLO))) == "".join(WORDS)


def test_a_redirect_to_elsewhere_gets_neither_the_key_nor_the_chat(server, connect) -> None:
    with OpenAIServer() as elsewhere:
        server.elsewhere = elsewhere.origin
        server.script = ["redirect"]
        error = failure(connect(key="sk-secret-0123"))
        assert isinstance(error, Unreachable)
        assert elsewhere.requests == []


def test_a_redirect_in_circles_ends(server, connect) -> None:
    server.script = ["redirect loop"]
    assert isinstance(failure(connect()), Unreachable)
    assert len(server.requests) < 10


def test_an_answer_that_is_too_long_for_any_model_ends(server, connect, monkeypatch) -> None:
    monkeypatch.setattr("backends.openai_compatible.answers.LONGEST_TEXT", 100_000)
    server.script = ["endless"]
    assert isinstance(failure(connect()), BadAnswer)


def test_too_many_calls_of_tools_are_no_answer(server, connect) -> None:
    calls = [{"index": i, "function": {"name": "f", "arguments": "{}"}} for i in range(1000)]
    server.script = [chunks(delta(tool_calls=calls))]
    assert isinstance(failure(connect()), BadAnswer)


def test_a_service_that_fails_while_it_answers_says_so(server, connect) -> None:
    server.script = [chunks(delta(content="Hi"), delta(finish_reason="error"))]
    assert isinstance(failure(connect()), BadAnswer)


def test_an_answer_ended_by_rules_for_content_is_told(server, connect) -> None:
    server.script = [chunks(delta(content="I"), delta(finish_reason="content_filter"))]
    events = list(connect().chat(HELLO))
    assert any(isinstance(event, Warned) for event in events)
    assert last(events).reason == "stop"


@pytest.mark.parametrize(
    "value",
    [
        {"choices": "x"}, {"choices": [None]}, {"choices": [{"delta": 5}]}, [], 5, None, "x",
        {"choices": [{"delta": {"content": 7, "tool_calls": [3, {"index": -1}, {"function": 1}]}}]},
        {"choices": [{"delta": {"content": [1, {"text": 2}]}, "logprobs": {"content": [1]}}]},
        {"choices": [{"logprobs": {"tokens": [1], "token_logprobs": 2, "top_logprobs": [3]}}]},
        {"usage": {"prompt_tokens": -4, "completion_tokens": 2**70}},
        {"usage": {"prompt_tokens": "many", "prompt_tokens_details": []}, "choices": []},
    ],
)  # fmt: skip
def test_a_part_of_an_answer_that_makes_no_sense_is_passed_over(server, connect, value) -> None:
    server.script = [chunks(value, *said("Hello").values)]
    events = list(connect().chat(HELLO))
    assert "Hello" in text_of(events)
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "fault", ["mute", "drip headers", "silent", "stall", "comments", "endless"]
)
def test_a_cancel_is_obeyed_at_once_whatever_the_service_does(server, connect, fault) -> None:
    server.script = [fault]
    stream = connect(patience=LONG).chat(HELLO)
    timer = threading.Timer(0.1, stream.close)
    timer.start()
    began = time.monotonic()
    assert last(list(stream)).reason == "cancelled"
    assert time.monotonic() - began < LONG.first_byte / 2
    timer.join()
    assert server.requests[0].gone.wait(60)


def test_a_cancel_is_obeyed_in_the_wait_before_the_next_try(server, connect) -> None:
    server.script = [Reply(status=500)] * 3
    stream = connect(patience=replaced(QUICK, pause=30)).chat(HELLO)
    threading.Timer(0.1, stream.close).start()
    assert last(list(stream)).reason == "cancelled"
    assert len(server.requests) == 1


def test_a_cancel_is_obeyed_while_the_connection_is_being_made(connect, deaf_url: str) -> None:
    patience = replaced(QUICK, connect=120)
    stream = connect(url=deaf_url, patience=patience).chat(HELLO)
    threading.Timer(0.1, stream.close).start()
    began = time.monotonic()
    assert last(list(stream)).reason == "cancelled"
    assert time.monotonic() - began < patience.connect / 2


def test_asking_for_models_ends_at_a_cancel_whatever_the_service_does(server) -> None:
    server.script = ["mute"]
    cancelled = threading.Event()

    def cancel() -> None:
        while not server.requests:
            time.sleep(0.01)
        cancelled.set()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    with pytest.raises(BackendError, match="no longer asked"):
        backend_at(server.url, patience=replaced(LONG, listing=120)).models(cancelled)
    cancelling.join()
    assert server.requests[0].gone.wait(60)


def test_asking_for_models_ends_at_a_cancel_while_the_connection_is_being_made(
    deaf_url: str,
) -> None:
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    patience = replaced(LONG, connect=120, listing=120)
    with pytest.raises(BackendError, match="no longer asked"):
        backend_at(deaf_url, patience=patience).models(cancelled)


def test_a_stream_that_was_closed_before_it_began_asks_nothing(server, connect) -> None:
    stream = connect().chat(HELLO)
    stream.close()
    assert last(list(stream)).reason == "cancelled"
    assert server.requests == []


def test_closing_the_session_ends_every_stream(server, connect) -> None:
    server.script = ["stall", "stall"]
    session = connect()
    streams = [session.chat(HELLO), session.chat(HELLO)]
    for stream in streams:
        next(stream)
    threading.Timer(0.1, session.close).start()
    assert [last(list(stream)).reason for stream in streams] == ["cancelled", "cancelled"]


def test_an_answer_that_nobody_reads_on_is_hung_up(server, connect) -> None:
    server.script = ["endless"]
    stream = connect().chat(HELLO)
    next(stream)
    del stream
    assert server.requests[0].gone.wait(60)
