"""A whole session with keys of every kind, and then a search for them in everything that was written."""

import base64
import json
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.crash_reports import write_crash_report
from app.secrets.sealed_file import PASSPHRASE_VARIABLE
from app.serving import KEY_VARIABLE
from tests.app.cli_process import CommandLine
from tests.backends.openai_compatible.openai_server import OpenAIServer, Reply

PASSPHRASE = "a-road-across-the-water-4711"
SERVICE_KEY = "sk-proj-Right0123456789abcdefXYZ"
WRONG_KEY = "plain-words-that-look-like-no-key-at-all"
VARIABLE_KEY = "key_of_a_variable_0815"
HUB_TOKEN = "hf_0123456789ABCDEFabcdefghijklmnop"
CLIENT_KEY = "what-a-client-tried-instead"
PASSWORD = "pass-in-the-address"


class Session:
    """Runs the program, and keeps what it said."""

    def __init__(self, causeway: CommandLine) -> None:
        self.causeway = causeway
        self.said: list[str] = []
        self.server_key = ""

    def run(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        done = self.causeway.run(*arguments, stdin=stdin, code=code)
        self.said += (done.stdout, done.stderr)
        return done.stdout

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[str]:
        process: subprocess.Popen[str] = self.causeway.start(
            "serve", "--port", "0", "--json", *arguments
        )
        assert process.stdout is not None
        said = ""
        try:
            while not said.endswith("}\n"):
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                said += line
            yield json.loads(said)["addresses"][0]
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            self.said += (said, *process.communicate(timeout=30))

    def ask(self, url: str, body: bytes | None = None, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, body, named)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.said.append(answer.read().decode())
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                self.said.append(error.read().decode())
                return error.code


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name in (PASSPHRASE_VARIABLE, KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "temporary").mkdir()
    variables = {
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "KEY_OF_THE_TEST": VARIABLE_KEY,
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path / "temporary")),
    }
    return Session(CommandLine(tmp_path / "home", variables))


def test_no_key_is_in_anything_that_the_program_wrote(session: Session, tmp_path: Path) -> None:
    session.run("keys", "use-file", stdin=f"{PASSPHRASE}\n")
    session.causeway.environment[PASSPHRASE_VARIABLE] = PASSPHRASE
    session.run("token", "set", stdin=f"{HUB_TOKEN}\n")
    with OpenAIServer(key=SERVICE_KEY) as service:
        _connect(session, service)
        _chat(session, service)
        _serve(session, service)
        _look_around(session)
    write_crash_report(RuntimeError(f"no {SERVICE_KEY} {PASSPHRASE}"), tmp_path / "home" / "logs")
    keys = {
        *(PASSPHRASE, SERVICE_KEY, WRONG_KEY, VARIABLE_KEY, HUB_TOKEN, CLIENT_KEY, PASSWORD),
        session.server_key,
    }
    written = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert {"secrets", "settings.json", "conversations.sqlite3", "causeway.log"} <= {
        file.name for file in written
    }
    said = "\n".join(session.said).encode()
    assert b"Hello there, friend." in said
    assert b"Incorrect API key provided" in said
    found = [
        (str(place), key)
        for key in keys
        for place, content in (*written.items(), ("said", said))
        if any(form in content for form in _forms(key))
    ]
    assert not found


def _connect(session: Session, service: OpenAIServer) -> None:
    """By a wrong key, by the right one, by a variable's, and by an address with a password."""
    session.run("connections", "add", "custom", "--url", service.url, "--title", "Nearby")
    session.run("connections", "key", "nearby", stdin=f"{WRONG_KEY}\n")
    session.run("connections", "check", "nearby", code=1)
    session.run("connections", "key", "nearby", stdin=f"{SERVICE_KEY}\n")
    session.run("connections", "check", "nearby")
    session.run(
        *("connections", "add", "custom", "--url", service.url, "--title", "Other"),
        *("--variable", "KEY_OF_THE_TEST"),
    )
    session.run("connections", "check", "other", code=1)
    address = service.url.replace("://", f"://person:{PASSWORD}@")
    session.run("connections", "add", "custom", "--url", address, "--title", "Third", code=1)


def _chat(session: Session, service: OpenAIServer) -> None:
    session.run("chat", "-m", "nearby:words", "Hello")
    for status in (401, 429, 500):
        said = {"error": {"message": f"Incorrect API key provided: {SERVICE_KEY}"}}
        service.script = [Reply(status=status, body=said)] * 5
        session.run("chat", "-m", "nearby:words", "Hello", code=1)
    service.script = [Reply(body=f"<p>{SERVICE_KEY}</p>".encode(), headers={"X-Key": SERVICE_KEY})]
    session.run("chat", "-m", "nearby:words", "Hello", code=1)
    service.script = []


def _serve(session: Session, service: OpenAIServer) -> None:
    session.server_key = session.causeway.run("keys", "server").stdout.strip()
    body = json.dumps(
        {"model": "nearby:words", "messages": [{"role": "user", "content": "Hello"}]}
    ).encode()
    right = f"Bearer {session.server_key}"
    with session.serving("--connections", "--keep-chats") as address:
        chat = f"{address}/v1/chat/completions"
        assert session.ask(chat, body, authorization=right) == 200
        service.script = [
            Reply(status=401, body={"error": {"message": f"Incorrect API key: {SERVICE_KEY}"}})
        ]
        assert session.ask(chat, body, authorization=right) == 503
        assert session.ask(chat, b"{", authorization=right) == 400
        assert session.ask(chat, body, authorization=f"Bearer {CLIENT_KEY}") == 401
        assert session.ask(chat, body, x_api_key=CLIENT_KEY) == 401
        assert session.ask(f"{chat}?key={session.server_key}", body) == 401
        assert (
            session.ask(f"{address}/v1/models", host="elsewhere.example", authorization=right)
            == 403
        )
        assert session.ask(f"{address}/metrics", authorization=right) == 200


def _look_around(session: Session) -> None:
    for command in (
        ("connections",),
        ("connections", "list", "--json"),
        ("keys",),
        ("settings", "--json"),
        ("engines", "--json"),
        ("doctor", "--json"),
        ("conversations", "list"),
        ("conversations", "search", "Hello"),
        ("models", "--json"),
    ):
        session.run(*command)


def _forms(key: str) -> Iterator[bytes]:
    """In which a key may have been written; of base64 those at each place in a text."""
    data = key.encode()
    yield from (data, key.encode("utf-16-le"), data.hex().encode(), data[::-1])
    yield urllib.parse.quote(key, safe="").encode()
    for before in range(3):
        whole = base64.b64encode(b"x" * before + data)
        yield whole[4 if before else 0 : len(whole) // 4 * 4 - 4]
