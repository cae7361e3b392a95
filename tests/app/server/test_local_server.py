"""The server goes on and off."""

import contextlib
import socket
import threading
import time

import httpx2
import pytest

from app.errors import AppError
from app.models import OfferedModel
from app.server import answering
from app.server.config import ServerConfig
from backends.protocol import LoadOptions
from tests.app.server.conftest import KEY, MakeServer, Served
from tests.scripted_backend import Script, ScriptedBackend

ASK = {"model": "polite", "messages": [{"role": "user", "content": "Hi"}]}


def test_it_tells_how_it_stands(server: Served):
    local = server.server
    states = []
    unsubscribe = local.subscribe(states.append)
    assert local.state.phase == "on"
    assert local.state.addresses[0].startswith("http://127.0.0.1:")
    local.stop()
    local.start(server.config)
    unsubscribe()
    local.stop()
    assert [state.phase for state in states] == ["stopping", "off", "starting", "on"]


def test_while_it_is_off_nothing_listens(server: Served):
    url = server.url
    server.server.stop()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url, trust_env=False)


def test_a_port_that_is_taken_is_told_in_words(server: Served):
    local = server.server
    local.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AppError, match=f"uses port {port} already"):
            local.start(ServerConfig(port=port))
    assert local.state.phase == "failed"
    assert str(port) in local.state.problem.why
    local.start(server.config)
    assert local.state.phase == "on"


def test_an_address_of_another_computer_is_told_in_words(server: Served):
    server.server.stop()
    with pytest.raises(AppError, match=r"no address 203\.0\.113\.7"):
        server.server.start(ServerConfig(host="203.0.113.7", key=KEY, port=0))


def test_others_may_reach_it_only_with_a_key(server: Served):
    local = server.server
    local.stop()
    with pytest.raises(AppError, match="no key"):
        local.start(ServerConfig(host="0.0.0.0", port=0))
    with pytest.raises(AppError, match="15 of at least 16 characters"):
        local.start(ServerConfig(host="0.0.0.0", port=0, key="k" * 15))
    assert local.state.phase == "failed"
    state = local.start(ServerConfig(host="0.0.0.0", port=0, key=KEY))
    assert state.addresses[0].startswith("http://127.0.0.1:")
    assert all("0.0.0.0" not in address for address in state.addresses)
    for address in state.addresses:
        headers = {"x-api-key": KEY}
        assert httpx2.get(f"{address}/v1/models", headers=headers, trust_env=False).is_success


def test_it_starts_and_stops_again_and_again_at_one_port(server: Served):
    port = int(server.url.rpartition(":")[2])
    for _ in range(3):
        server.server.stop()
        server.server.start(ServerConfig(port=port))
        with server.client() as client:
            assert client.post("/v1/chat/completions", json=ASK).is_success


class Deaf(ScriptedBackend):
    """Hears of no wish to end."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.over = threading.Event()
        self.gave_back = False

    def open(self, *arguments, **options):
        session = super().open(*arguments, **options)
        session.chat = lambda request: self
        return session

    def __iter__(self):
        self.asked.set()
        self.over.wait(30)
        self.gave_back = True
        return iter(())

    def close(self) -> None:
        pass


def _ask_in_vain(server: Served) -> None:
    with contextlib.suppress(httpx2.HTTPError), server.client() as client:
        client.post("/v1/chat/completions", json=ASK)


class TestStopping:
    def test_an_answer_may_end(self, server: Served, scripted: ScriptedBackend):
        scripted.script = Script(tokens=("word ",) * 40, delay=0.01)
        answers = []

        def ask() -> None:
            with server.client() as client:
                answers.append(client.post("/v1/chat/completions", json=ASK).json())

        asker = threading.Thread(target=ask)
        asker.start()
        _wait_until(lambda: scripted.requests)
        server.server.stop(patience_seconds=10)
        asker.join()
        assert answers[0]["choices"][0]["message"]["content"] == "word " * 40

    def test_one_that_takes_too_long_is_cut_off_in_words(
        self, server: Served, scripted: ScriptedBackend
    ):
        scripted.script = Script(tokens=("word ",) * 100_000, delay=0.01)
        come = []

        def ask() -> None:
            with (
                server.client() as client,
                client.stream(
                    "POST", "/v1/chat/completions", json={**ASK, "stream": True}
                ) as answer,
            ):
                come.extend(answer.iter_lines())

        asker = threading.Thread(target=ask)
        asker.start()
        _wait_until(lambda: scripted.requests)
        server.server.stop(patience_seconds=0.2)
        asker.join(10)
        assert not asker.is_alive()
        assert "cut off" in "".join(come[-3:])
        assert "[DONE]" not in "".join(come)

    def test_one_that_hangs_does_not_hold_it_up(self, server: Served, scripted: ScriptedBackend):
        scripted.script = Script(hang_at=1)

        def ask() -> None:
            with server.client() as client:
                client.post("/v1/chat/completions", json=ASK)

        asker = threading.Thread(target=ask)
        asker.start()
        _wait_until(lambda: scripted.requests)
        server.server.stop(patience_seconds=0.1)
        asker.join(10)
        assert not asker.is_alive()

    def test_an_engine_that_never_gives_a_thread_back_does_not_hold_it_up(
        self, make_server: MakeServer, model, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(answering, "_LAST_SECONDS", 0.2)
        backend = Deaf()
        server = make_server(backend)
        asker = threading.Thread(target=_ask_in_vain, args=(server,))
        asker.start()
        _wait_until(lambda: backend.asked.is_set())
        try:
            server.server.stop(patience_seconds=0.1)
            assert not backend.gave_back
        finally:
            backend.over.set()
        asker.join(10)
        assert not asker.is_alive()


class TestWhichModels:
    OFFERED = OfferedModel(
        id="elsewhere:large",
        name="Large",
        backend="elsewhere",
        model="large",
        source="Elsewhere",
        leaves=True,
    )

    @pytest.mark.parametrize("offers", [False, True])
    def test_services_are_offered_only_where_the_person_says_so(
        self, make_server: MakeServer, scripted: ScriptedBackend, model, offers
    ):
        server = make_server(
            scripted,
            offers=(self.OFFERED,),
            backends={"elsewhere": ScriptedBackend(Script(tokens=("Far.",)))},
            serve_connections=offers,
        )
        with server.client() as client:
            listed = [each["id"] for each in client.get("/v1/models").json()["data"]]
            answer = client.post("/v1/chat/completions", json={**ASK, "model": "elsewhere:large"})
        assert ("elsewhere:large" in listed) is offers
        assert answer.status_code == (200 if offers else 404)

    def test_nothing_is_loaded_where_the_person_says_so(
        self, make_server: MakeServer, scripted: ScriptedBackend, model, other_model
    ):
        server = make_server(scripted, load_on_demand=False)
        with server.client() as client:
            refused = client.post("/v1/chat/completions", json=ASK)
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "model_not_loaded"
            assert not scripted.sessions
            with server.engines.use(model, LoadOptions(n_ctx=256), lambda _: True):
                pass
            assert client.post("/v1/chat/completions", json=ASK).is_success
            other = client.post("/v1/chat/completions", json={**ASK, "model": "talkative"})
            assert other.status_code == 503
        assert len(scripted.sessions) == 1

    def test_a_model_that_a_chat_has_loaded_otherwise_is_not_loaded_again(
        self, server: Served, scripted: ScriptedBackend, model
    ):
        with (
            server.engines.use(model, LoadOptions(n_ctx=256), lambda _: True),
            server.client() as client,
        ):
            assert client.post("/v1/chat/completions", json=ASK).is_success
        assert [session.options.n_ctx for session in scripted.sessions] == [256]

    def test_a_model_that_came_meanwhile_is_found(self, server: Served, library, other_model_file):
        with server.client() as client:
            client.get("/v1/models")
            library.add_file(other_model_file)
            _wait_until(lambda: len(client.get("/v1/models").json()["data"]) == 2)

    def test_all_ask_one_session(self, server: Served, scripted: ScriptedBackend):
        with server.client() as client:
            for path in ("/v1/chat/completions", "/api/chat", "/v1/messages"):
                own = {"max_tokens": 5} if "messages" in path else {}
                assert client.post(path, json={**ASK, **own}).is_success
        assert len(scripted.sessions) == 1


def _wait_until(holds) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
