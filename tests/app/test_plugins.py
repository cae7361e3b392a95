"""Engines of others: the example of docs/ as it is installed and asked, and those that don't work."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.plugins import Plugins
from backends.protocol import ModelDescription
from backends.registry import BrokenBackend
from tests.app.cli_process import CommandLine
from tests.scripted_backend import ScriptedBackend

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "echo-backend"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example is installed in."""
    source = tmp_path_factory.mktemp("source") / EXAMPLE.name
    shutil.copytree(EXAMPLE, source)
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check", "--target"),
            *(str(target), str(source)),
        ],
        check=True,
        timeout=120,
    )
    return target


@pytest.fixture
def causeway(installed: Path, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home", {"PYTHONPATH": str(installed)})


def test_the_example_is_shorter_than_a_hundred_lines() -> None:
    files = [file for file in EXAMPLE.rglob("*") if file.suffix in (".py", ".toml")]
    assert 0 < sum(len(file.read_text().splitlines()) for file in files) < 100


def test_the_installed_example_is_listed_and_chats(causeway: CommandLine) -> None:
    (plugin,) = causeway.json("engines")
    assert (plugin["name"], plugin["package"], plugin["error"]) == ("echo", "causeway-echo", "")
    assert [model["id"] for model in plugin["models"]] == ["echo:parrot"]
    report = causeway.json("chat", "-m", "echo:parrot", "Polly wants a cracker")
    assert report["text"].split() == ["Polly", "wants", "a", "cracker"]
    assert report["model"] == "echo:parrot"
    again = causeway.json("chat", "-c", report["conversation_id"], "Again")
    assert again["text"].split() == ["Again"]


def test_the_installed_example_keeps_the_contract(installed: Path, tmp_path: Path) -> None:
    suite = tmp_path / "test_echo.py"
    suite.write_text(_SUITE)
    done = subprocess.run(
        [*(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"), str(suite)],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_plug_in_that_can_t_be_imported_is_listed_and_harms_nothing(
    causeway: CommandLine, installed: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    info = broken / "causeway_broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: causeway-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[causeway.backends]\nbroken = no_such_module:Backend\n")
    causeway.environment["PYTHONPATH"] = f"{installed}{os.pathsep}{broken}"
    listed = {plugin["name"]: plugin for plugin in causeway.json("engines")}
    assert "no_such_module" in listed["broken"]["error"]
    assert listed["broken"]["package"] == "causeway-broken"
    assert causeway.json("chat", "-m", "echo:parrot", "Hello")["text"].split() == ["Hello"]


class Silent(ScriptedBackend):
    def models(self) -> tuple[ModelDescription, ...]:
        raise RuntimeError("it was not finished")


class Leaving(ScriptedBackend):
    def models(self) -> tuple[ModelDescription, ...]:
        raise SystemExit(3)


class Hanging(ScriptedBackend):
    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def models(self) -> tuple[ModelDescription, ...]:
        self.over.wait(60)
        return ()


def test_a_plug_in_that_hangs_is_given_up_and_the_others_answer() -> None:
    hanging = Hanging()
    plugins = Plugins(
        {"hanging": hanging, "good": ScriptedBackend()}, (), dict, patience_seconds=0.3
    )
    try:
        hangs, good = plugins.all()
    finally:
        hanging.over.set()
    assert "did not list its models" in hangs.error
    assert not good.error


def test_a_plug_in_that_does_not_answer_is_listed_with_its_error() -> None:
    backends = {
        "llama_cpp": ScriptedBackend(),
        "silent": Silent(),
        "leaving": Leaving(),
        "good": ScriptedBackend(),
    }
    plugins = Plugins(backends, [BrokenBackend("old", "It is old.", "old-package")], dict)
    listed = {plugin.name: plugin for plugin in plugins.all()}
    assert sorted(listed) == ["good", "leaving", "old", "silent"]
    assert "SystemExit" in listed["leaving"].error
    assert "it was not finished" in listed["silent"].error
    assert listed["old"].error == "It is old."
    assert [model.id for model in plugins.offers()] == ["good:scripted"]


_SUITE = """
import pytest
from backends.protocol import ChatRequest, Message
from backends.testing import BackendContract
from causeway_echo import EchoBackend


class TestEcho(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> EchoBackend:
        return EchoBackend()

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> str:
        return "parrot"

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        return ChatRequest(messages=(Message(role="user", content="word " * 3000),))
"""
