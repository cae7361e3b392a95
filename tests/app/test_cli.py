"""The command line as a whole: version, usage, start-up, bugs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main as command_line
from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.process import default_command
from backends.protocol import ChatRequest, LoadOptions, Message, TextDelta
from tests.app.cli_process import COMMAND, CommandLine


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_the_version_is_printed_and_nothing_is_created(causeway: CommandLine) -> None:
    assert causeway.run("--version").stdout.startswith("causeway 0.")
    assert not causeway.home.exists()


@pytest.mark.parametrize("arguments", [["nonsense"], ["chat", "--nonsense"], ["show"], []])
def test_wrong_usage_is_code_2(causeway: CommandLine, arguments: list[str]) -> None:
    assert "Usage" in causeway.run(*arguments, code=2).stderr


def test_listing_models_loads_nothing_that_it_does_not_need(causeway: CommandLine) -> None:
    program = (
        "import sys; from app.cli.main import main; main(['models', '--json']);"
        "print(*(name for name in sys.modules if '.' not in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=causeway.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"PySide6", "llama_cpp", "numpy", "httpx2", "pypi_simple", "jinja2", "rich"}
    assert not heavy & set(done.stdout.split())


def test_a_bug_leaves_a_report_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path))
    monkeypatch.setattr("app.cli.opening.default_paths", broken)
    assert command_line.main(["models"]) == 1
    error = capsys.readouterr().err
    (report,) = (tmp_path / "logs").glob("crash-*.txt")
    assert str(report) in error
    assert "Traceback" not in error


def test_output_into_a_closed_pipe_ends_quietly(causeway: CommandLine) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", ""], stdin=subprocess.PIPE, env=causeway.environment
    )
    reader.wait()
    done = subprocess.run(
        [sys.executable, "-m", "app", "models", "--json"],
        env=causeway.environment,
        stdout=reader.stdin,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert reader.stdin is not None
    reader.stdin.close()
    assert "Traceback" not in done.stderr


def test_a_frozen_program_serves_as_its_own_worker(
    monkeypatch: pytest.MonkeyPatch, model_file: Path
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    executable, *arguments = default_command()
    assert executable == sys.executable
    # What the frozen executable would do, this Python does with “-m app”.
    backend = LlamaCppBackend([*COMMAND, *arguments])
    session = backend.open(str(model_file), LoadOptions(), lambda fraction: True)
    try:
        request = ChatRequest(messages=(Message(role="user", content="Hello"),))
        said = [event.text for event in session.chat(request) if isinstance(event, TextDelta)]
    finally:
        session.close()
    assert "".join(said) == "Good morning."


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors in a shell")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_bug(causeway: CommandLine, closed: str) -> None:
    command = f'"{sys.executable}" -m app chat nothing-installed {closed}'
    done = subprocess.run(["sh", "-c", command], env=causeway.environment, check=False)
    assert done.returncode == 1
    assert not list(causeway.home.glob("logs/crash-*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_output_onto_a_full_disk_is_said(causeway: CommandLine) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app", "models", "--json"],
            env=causeway.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("The output could not be written. The disk is full.")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_an_id_that_is_no_text_is_unknown(causeway: CommandLine) -> None:
    assert "no conversation" in causeway.error("conversations", "show", "\udcff")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_json_comes_whole_from_a_home_whose_name_is_no_text(tmp_path: Path) -> None:
    home = tmp_path / "odd\udcff"
    assert CommandLine(home).json("doctor")["paths"]["home"].startswith(str(tmp_path))
