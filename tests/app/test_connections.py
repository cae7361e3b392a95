import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keyring
import pytest

from app.connections.connections import PROVIDERS, Connections
from app.connections.records import Connection
from app.errors import AppError
from app.secrets import Secrets
from app.settings_file import SettingsFile
from backends.errors import BackendError, BadKey
from tests.app.cli_process import CommandLine
from tests.memory_keyring import MemoryKeyring

KEY = "sk-proj-0123456789abcdef"


class _Service(BaseHTTPRequestHandler):
    """Lists two models to whoever has the key, and answers every chat with the same words."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.heard.append(self.headers.get("Authorization", ""))
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._send(401, {"error": {"message": f"Incorrect API key provided: {given}"}})
        else:
            self._send(200, {"object": "list", "data": [{"id": "tiny"}, {"id": "large"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        chunks = [
            {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Good "}}]},
            {"choices": [{"index": 0, "delta": {"content": "day."}, "finish_reason": "stop"}]},
            {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
        ]
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]
        content = "".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Service(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Service)
        self.key = ""
        self.heard: list[str] = []
        self.asked: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def kept() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def settings(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "settings.json")


@pytest.fixture
def connections(settings: SettingsFile, tmp_path: Path) -> Connections:
    secrets = Secrets(settings, tmp_path / "secrets")
    return Connections(settings, secrets, tmp_path / "lists")


def test_every_known_service_can_be_connected_and_nothing_is_sent(connections, settings):
    for provider in PROVIDERS:
        url = provider.url or "http://127.0.0.1:9999/v1"
        assert connections.add(provider.id, url=url).provider == provider.id
    assert len({each.id for each in connections.all()}) == len(PROVIDERS)
    assert SettingsFile(settings.path).load().connections == connections.all()


def test_what_leaves_this_computer_is_told_from_what_does_not(connections):
    assert connections.leaves(connections.add("openai"))
    assert connections.leaves(connections.add("custom", url="http://192.168.1.20:8000/v1"))
    assert not connections.leaves(connections.add("ollama"))


@pytest.mark.parametrize(
    "url", ["http://example.com/v1", "ftp://example.com", "no address", "https://"]
)
def test_an_address_that_can_t_be_used_is_refused(connections, url):
    with pytest.raises((AppError, BackendError)):
        connections.add("custom", url=url)
    assert connections.all() == ()


def test_a_service_s_models_are_listed_and_remembered(connections, service, settings, tmp_path):
    connection = connections.add("custom", url=service.url, title="My server")
    assert connection.id == "my-server"
    assert connections.models(connection.id) == ()
    models = connections.check(connection.id)
    assert [model.id for model in models] == ["my-server:large", "my-server:tiny"]
    assert {model.source for model in models} == {"My server"}
    later = Connections(settings, Secrets(settings, tmp_path / "secrets"), tmp_path / "lists")
    assert later.offers() == models


def test_a_service_without_a_name_is_called_after_its_host_wherever_that_is(connections):
    connection = connections.add("custom", url="http://192.168.1.20:8000/v1")
    assert connection.title == "192.168.1.20:8000"
    moved = connections.change(connection.id, title="", url="http://192.168.1.30:8000/v1")
    assert moved.title == "192.168.1.30:8000"
    named = connections.change(connection.id, title="Attic", url=moved.url)
    assert connections.change(named.id, title="", url="http://10.0.0.1:1/v1").title == "Attic"


def test_two_services_of_a_kind_can_be_told_apart(connections):
    titles = [
        connections.add("ollama", url=url).title for url in ("localhost:11434", "http://nas:11434")
    ]
    assert titles == ["Ollama", "nas:11434"]


def test_the_key_goes_to_the_service_and_into_no_file(connections, service, kept, tmp_path):
    service.key = KEY
    connection = connections.add("custom", url=service.url)
    with pytest.raises(BadKey):
        connections.check(connection.id)
    wrong = f"{KEY}-of-yesterday"
    connections.set_key(connection.id, wrong)
    with pytest.raises(BadKey) as error:
        connections.check(connection.id)
    assert KEY not in str(error.value)
    connections.set_key(connection.id, f" {KEY}\n")
    assert connections.check(connection.id)
    assert service.heard == ["", f"Bearer {wrong}", f"Bearer {KEY}"]
    assert list(kept.kept.values()) == [KEY]
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_a_key_that_can_t_be_read_is_said_instead_of_asking_without_it(
    connections, service, settings, tmp_path, kept
):
    connection = connections.add("custom", url=service.url)
    connections.set_key(connection.id, KEY)
    kept.kept.clear()
    later = Connections(settings, Secrets(settings, tmp_path / "secrets"), tmp_path / "lists")
    with pytest.raises(BadKey, match="can't be read"):
        later.check(connection.id)
    assert service.heard == []


def test_a_key_can_come_from_the_environment(connections, service, kept, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    service.key = KEY
    connection = connections.add("custom", url=service.url)
    connections.use_variable(connection.id, "MY_KEY")
    assert connections.check(connection.id)
    assert not kept.kept
    with pytest.raises(AppError, match="no name"):
        connections.use_variable(connection.id, "not a name")


def test_another_server_does_not_get_the_key(connections, service, kept):
    connection = connections.add("custom", url="http://127.0.0.1:9/v1", title="Mine")
    connections.set_key(connection.id, KEY)
    same = connections.change(connection.id, title="Renamed", url="http://127.0.0.1:9/v2")
    assert (same.title, same.key_place) == ("Renamed", "stored")
    other = connections.change(connection.id, title="", url=service.url)
    assert other.key_place == "none"
    assert not kept.kept
    connections.check(connection.id)
    assert service.heard == [""]


def test_what_another_process_connected_since_is_not_forgotten(
    connections, service, settings, tmp_path
):
    mine = connections.add("custom", url=service.url, title="Mine")
    others = SettingsFile(settings.path)
    others.load()
    elsewhere = Connections(others, Secrets(others, tmp_path / "secrets"), tmp_path / "lists")
    elsewhere.set_key(elsewhere.add("openai").id, KEY)
    connections.set_key(mine.id, KEY)
    assert [each.id for each in connections.all()] == ["mine", "openai"]
    assert set(settings.current.secret_names) == {"connection/mine", "connection/openai"}


def test_a_removed_service_takes_its_key_and_list_along(connections, service, kept, tmp_path):
    connection = connections.add("custom", url=service.url)
    connections.set_key(connection.id, KEY)
    connections.check(connection.id)
    connections.remove(connection.id)
    assert connections.all() == connections.offers() == ()
    assert not kept.kept
    assert list((tmp_path / "lists").iterdir()) == []


@pytest.mark.parametrize("id_", ["../../settings", "a b", "", "UPPER", "-"])
def test_a_hand_edited_id_reaches_no_other_file(settings, id_):
    settings.path.write_text(
        json.dumps(
            {"connections": [{"id": id_, "provider": "custom", "title": "x", "url": "https://x"}]}
        )
    )
    assert settings.load().connections == ()
    assert settings.notice


def test_a_damaged_list_counts_as_none(connections, service, tmp_path):
    connection = connections.add("custom", url=service.url)
    connections.check(connection.id)
    (tmp_path / "lists" / f"{connection.id}.json").write_bytes(b"\xff{")
    assert connections.models(connection.id) == ()


def test_offline_nothing_is_asked_that_is_elsewhere(connections, settings):
    connection = connections.add("custom", url="http://192.168.250.250:9/v1")
    settings.update(offline=True)
    with pytest.raises(BackendError, match="offline"):
        connections.check(connection.id)


def test_from_the_command_line_to_an_answer(service, tmp_path):
    causeway = CommandLine(tmp_path / "home", {"MY_KEY": KEY})
    service.key = KEY
    added = causeway.run(
        *("connections", "add", "custom", "--url", service.url, "--variable", "MY_KEY"),
        *("--title", "Nearby"),
    )
    assert added.stdout.strip() == "nearby"
    listed = causeway.json("connections", "check", "nearby")
    assert [model["id"] for model in listed] == ["nearby:large", "nearby:tiny"]
    report = causeway.json("chat", "-m", "nearby:tiny", "--set", "temperature=0.3", "Hello")
    assert report["text"] == "Good day."
    assert report["model"] == "nearby:tiny"
    assert report["usage"]["prompt_tokens"] == 7
    asked = service.asked[-1]
    assert asked["model"] == "tiny"
    assert asked["temperature"] == 0.3
    assert "top_k" not in asked
    (shown,) = causeway.json("connections")
    assert shown["key"] == "from MY_KEY"
    assert not shown["leaves"]
    for file in causeway.home.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
    causeway.run("connections", "remove", "nearby")
    assert "no longer" in causeway.error("chat", "-c", report["conversation_id"], "And now?")


def test_a_chat_that_was_begun_here_is_not_sent_elsewhere(make_chats, store, settings, model):
    from app.models import OfferedModel

    away = OfferedModel(
        id="x:y", name="Y", backend="x", model="y", source="X", leaves=True, context_length=0
    )
    settings.update(last_model_id="x:y")
    chats = make_chats(settings=settings, offers=[away])
    assert chats.model_for(store.create()).id == "x:y"
    begun = store.create()
    store.add_message(begun.id, parent_id=None, role="user", text="A secret")
    assert chats.model_for(store.get(begun.id)).id == model.id


def test_a_record_names_only_what_can_be_a_file() -> None:
    with pytest.raises(ValueError, match="no id"):
        Connection(id="..", provider="custom", title="x", url="https://x")
