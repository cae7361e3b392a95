import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.serving import KEY_VARIABLE
from tests.app.cli_process import CommandLine
from tests.backends.openai_compatible.openai_server import OpenAIServer

KEY = "a-long-secret-of-the-test"


@pytest.fixture
def causeway(tmp_path: Path, model_file: Path) -> CommandLine:
    causeway = CommandLine(tmp_path / "home", {KEY_VARIABLE: KEY})
    causeway.run("import", str(model_file))
    return causeway


@contextmanager
def serving(causeway: CommandLine, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = causeway.start("serve", "--port", "0", "--json", *arguments)
    assert process.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        said += line
    try:
        yield json.loads(said)["addresses"][0], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def ask(address: str, path: str, body: object = None, key: str = KEY) -> dict:
    request = urllib.request.Request(
        address + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def chat(address: str, model: str, **more: object) -> dict:
    messages = [{"role": "user", "content": "Hello"}]
    return ask(address, "/v1/chat/completions", {"model": model, "messages": messages, **more})


def test_it_serves_until_it_is_told_to_stop(causeway):
    with serving(causeway, "-m", "polite") as (address, process):
        (model,) = ask(address, "/v1/models")["data"]
        said = chat(address, model["id"], max_tokens=20)
        assert said["choices"][0]["message"]["content"].startswith("Good morning.")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert causeway.json("conversations", "list") == []
    for file in causeway.home.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_nobody_gets_in_without_the_key(causeway):
    with serving(causeway) as (address, _):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(address, "/v1/models", key="wrong")
        assert refused.value.code == 401
        refused.value.close()


def test_chats_are_kept_when_that_is_asked_for(causeway):
    with serving(causeway, "--keep-chats") as (address, _):
        (model,) = ask(address, "/v1/models")["data"]
        chat(address, model["id"], max_tokens=5)
    assert len(causeway.json("conversations", "list")) == 1


def test_a_port_that_is_taken_is_said_in_words(causeway):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} already" in causeway.error("serve", "--port", str(port))


def test_other_computers_never_get_in_without_a_key(causeway):
    assert "without a key" in causeway.error("serve", "--lan", "--no-key", "--port", "0")


def test_other_computers_never_get_in_by_a_key_that_can_be_guessed(causeway):
    causeway.environment[KEY_VARIABLE] = "a"
    assert "1 of at least 16 characters" in causeway.error("serve", "--lan", "--port", "0")


def test_a_command_beside_the_server_uses_its_loaded_model(causeway):
    with serving(causeway, "-m", "polite") as (address, _):
        report = causeway.json("chat", "-m", "polite", "--set", "max_tokens=5", "Hello")
        assert report["text"]
        health = ask(address, "/health")
        assert health["status"] == "ok"


def test_a_service_that_is_connected_meanwhile_is_offered(causeway):
    with (
        OpenAIServer() as service,
        serving(causeway, "--connections") as (address, process),
    ):
        causeway.run("connections", "add", "custom", "--url", service.url, "--title", "Desk")
        causeway.run("connections", "check", "desk")
        ends = time.monotonic() + 60
        while "desk:words" not in [each["id"] for each in ask(address, "/v1/models")["data"]]:
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.1)
