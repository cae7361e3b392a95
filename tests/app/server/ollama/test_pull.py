"""Ollama's client fetches models, from servers of the test's own, through the download queue."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import ollama
import pytest

from app.paths import Paths
from app.server.config import ServerConfig
from app.services import Services, open_services
from catalog.downloads.wanted import DownloadState
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_model

PATIENCE = 60.0
NAME = "hf.co/lab/tiny-GGUF:Q8_0"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf", says=["Hi"]).read_bytes()


@pytest.fixture
def hub(tiny: bytes) -> Iterator[HubServer]:
    with HubServer() as hub:
        hub.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": tiny})
        yield hub


@pytest.fixture
def services(paths: Paths, hub: HubServer) -> Iterator[Services]:
    with open_services(paths) as services:
        services.settings.update(hub_endpoint=hub.url)
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[ollama.Client]:
    state = services.server.start(ServerConfig(port=0))
    with ollama.Client(state.addresses[0]) as client:
        yield client
    services.server.stop()


def test_a_model_comes_with_its_progress_and_answers(
    client: ollama.Client, services: Services, tiny: bytes
):
    told = list(client.pull(NAME, stream=True))
    assert told[0].status == "pulling manifest"
    assert told[-1].status == "success"
    bars = [each for each in told if each.total is not None]
    assert {each.total for each in bars} == {len(tiny)}
    assert [each.completed for each in bars] == sorted(each.completed for each in bars)
    assert bars[-1].completed == len(tiny)
    (state,) = services.downloads.states()
    assert state.phase == "done"
    assert Path(state.path).read_bytes() == tiny
    answer = client.chat(NAME, messages=[{"role": "user", "content": "Hello"}])
    assert answer.message.content == "Hi"
    assert [each.status for each in client.pull(NAME, stream=True)] == ["success"]


def test_a_client_may_wait_for_the_whole(client: ollama.Client, services: Services):
    assert client.pull(NAME).status == "success"
    assert services.downloads.states()[0].phase == "done"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("hf.co/lab/tiny-GGUF:Q2_K", 400),
        ("hf.co/lab/nothing:Q8_0", 503),
        ("hub:no/../way", 400),
        ("no-such-model", 404),
        ("https://example.org/model.gguf", 400),
        ("/etc/passwd", 404),
        (" ", 400),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_there_is_not_is_said_before_a_stream_begins(
    client: ollama.Client, services: Services, name: str, status: int, stream: bool
):
    with pytest.raises(ollama.ResponseError) as caught:
        list(client.pull(name, stream=stream))
    assert caught.value.status_code in (400, status)
    assert services.downloads.states() == ()


def test_nothing_is_fetched_offline(client: ollama.Client, services: Services):
    services.settings.update(offline=True)
    with pytest.raises(ollama.ResponseError, match="offline"):
        client.pull(NAME)


def test_a_client_that_leaves_pauses_the_download_and_comes_back_to_it(
    client: ollama.Client, services: Services, hub: HubServer
):
    hub.cdn.faults, hub.cdn.always = ["stall"], True
    paused = threading.Event()

    def look(states: tuple[DownloadState, ...]) -> None:
        if any(state.phase == "paused" for state in states):
            paused.set()

    unsubscribe = services.downloads.subscribe(look)
    stream = client.pull(NAME, stream=True)
    assert any(part.total for part in stream)
    stream.close()
    assert paused.wait(PATIENCE)
    unsubscribe()
    hub.cdn.faults, hub.cdn.always = [], False
    assert client.pull(NAME).status == "success"


def test_a_server_that_stops_ends_its_downloads(
    client: ollama.Client, services: Services, hub: HubServer
):
    hub.cdn.faults, hub.cdn.always = ["stall"], True
    stream = client.pull(NAME, stream=True)
    assert any(part.total for part in stream)
    services.server.stop(0)
    assert services.downloads.states()[0].phase == "paused"
    with contextlib.suppress(ollama.ResponseError, httpx.HTTPError):
        stream.close()
