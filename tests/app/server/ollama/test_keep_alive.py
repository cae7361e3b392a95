"""How long a model stays in memory, as Ollama's client says it."""

from datetime import UTC, datetime, timedelta

import ollama
import pytest

from app.server.failures import Failure
from app.server.ollama_api.keep_alive import seconds_of

MODEL = "polite"
QUESTION = ({"role": "user", "content": "How is the weather?"},)
PATIENCE = 30.0


@pytest.fixture
def client(server):
    with ollama.Client(host=server.url) as client:
        yield client


def expires_in(client: ollama.Client) -> timedelta:
    (running,) = client.ps().models
    return running.expires_at - datetime.now(UTC)


@pytest.mark.parametrize("nothing", [0, "0", "0s", "0m0s", 0.0])
def test_a_model_leaves_memory_at_once(client, server, nothing):
    client.chat(MODEL, messages=QUESTION)
    assert len(client.ps().models) == 1
    assert client.generate(MODEL, keep_alive=nothing).done_reason == "unload"
    assert client.ps().models == []
    assert server.engines.state.phase == "unloaded"


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_leaves_memory_after_its_answer(client, server, model, stream):
    answer = client.chat(MODEL, messages=QUESTION, keep_alive=0, stream=stream)
    text = "".join(part.message.content for part in answer) if stream else answer.message.content
    assert text == "Hello, world."
    server.engines.wait_until_gone(str(model.path), PATIENCE)
    assert client.ps().models == []


def test_it_is_told_how_long_a_model_stays(client):
    client.chat(MODEL, messages=QUESTION)
    assert expires_in(client) > timedelta(days=1000)  # the test's settings never unload
    client.generate(MODEL, "Hello", keep_alive="1h30m")
    assert timedelta(minutes=80) < expires_in(client) <= timedelta(minutes=90)
    client.generate(MODEL, keep_alive=600)
    assert timedelta(minutes=5) < expires_in(client) <= timedelta(minutes=10)
    client.generate(MODEL, keep_alive=-1)
    assert expires_in(client) > timedelta(days=1000)


def test_what_is_no_time_is_refused_before_an_answer(client, server):
    for wrong in ("soon", "5 parsecs", "nan", ""):
        with pytest.raises(ollama.ResponseError, match="keep_alive") as caught:
            client.chat(MODEL, messages=QUESTION, keep_alive=wrong)
        assert caught.value.status_code == 400
    assert server.backend.requests == []


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [
        (None, None),
        (5, 5.0),
        ("300", 300.0),
        ("1.5h", 5400.0),
        ("2m3s", 123.0),
        ("500ms", 0.5),
        ("-1s", -1.0),
        (-7, -1.0),
        (10**400, -1.0),
        (1e300, -1.0),
        ("1e999", -1.0),
        ("99999999h", -1.0),
    ],
)
def test_times_are_read_as_that_api_has_them(wanted, seconds):
    assert seconds_of(wanted) == seconds


@pytest.mark.parametrize("wanted", ["5x", "m", "1h 2m", "--1s", "5m!", "١٢s"])
def test_other_texts_are_none(wanted):
    with pytest.raises(Failure):
        seconds_of(wanted)
