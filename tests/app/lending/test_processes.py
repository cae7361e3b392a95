"""One worker for real processes of one home: the test's own, and the command line's."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.lending import loan
from app.paths import paths_under
from app.services import Services, open_services
from app.turns import Turn, TurnEnded
from backends.protocol import TextDelta
from catalog.library import InstalledModel
from tests.app.cli_process import CommandLine
from tests.gguf_files import write_model

GREEDY = ("--set", "temperature=0")


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that talks for seconds: it is large, and knows no end."""
    return write_model(
        tmp_path_factory.mktemp("endless") / "endless.gguf",
        n_embd=256,
        n_layers=8,
        context_length=8192,
        seed=5,
    )


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def services(causeway: CommandLine) -> Iterator[Services]:
    """What stands for the window, in the same home."""
    with open_services(paths_under(causeway.home)) as services:
        yield services


@pytest.fixture
def model(services: Services, endless: Path) -> InstalledModel:
    return services.library.find(str(endless))


def ask(services: Services, model: InstalledModel, text: str, max_tokens: int) -> Turn:
    options = {"temperature": 0.0, "max_tokens": max_tokens}
    chat = services.store.create(model_id=str(model.path), options=options)
    return services.chats.send(chat.id, text)


def finish(turn: Turn) -> str:
    *_, ended = turn.events()
    assert isinstance(ended, TurnEnded)
    assert ended.problem is None
    return ended.message.text


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def children(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


class Command:
    """A `causeway chat` that has begun to answer."""

    def __init__(self, causeway: CommandLine, model: Path, *settings: str) -> None:
        given = [part for setting in settings for part in ("--set", setting)]
        self.process = causeway.start("chat", "-m", str(model), *GREEDY, *given, "Go on")
        assert self.process.stdout is not None
        if not self.process.stdout.read(1):
            pytest.fail(f"it did not begin to answer: {self.end()}")

    def workers(self) -> list[psutil.Process]:
        return children(self.process.pid)

    def end(self) -> str:
        """Until it ends; what it said on standard error."""
        return self.process.communicate(timeout=60)[1]


@pytest.fixture
def start(causeway: CommandLine, endless: Path) -> Iterator[Callable[..., Command]]:
    started: list[Command] = []

    def start(*settings: str) -> Command:
        started.append(Command(causeway, endless, *settings))
        return started[-1]

    yield start
    for command in started:
        if command.process.poll() is None:
            command.process.kill()
        with command.process:
            pass


def test_a_command_is_answered_by_the_windows_worker(
    services: Services, causeway: CommandLine, model: InstalledModel, endless: Path
) -> None:
    own = finish(ask(services, model, "Hello", 20))
    workers = {child.pid for child in children(psutil.Process().pid)}
    answer = causeway.json("chat", "-m", str(endless), *GREEDY, "--set", "max_tokens=20", "Hello")
    assert answer["text"] == own
    assert answer["usage"]["cached_tokens"] > 0, "the window had read it already"
    assert answer["timings"]["load_ms"] == 0
    assert {child.pid for child in children(psutil.Process().pid)} == workers


def test_window_and_command_are_answered_at_once_and_both_rightly(
    services: Services, causeway: CommandLine, model: InstalledModel, endless: Path
) -> None:
    alone = {text: finish(ask(services, model, text, 60)) for text in ("One", "Another")}
    services.engines.unload()
    turn = ask(services, model, "One", 4000)
    events = turn.events()
    assert any(isinstance(event, TextDelta) for event in events)
    answer = causeway.json("chat", "-m", str(endless), *GREEDY, "--set", "max_tokens=60", "Another")
    assert answer["timings"]["load_ms"] == 0
    assert not turn.ended, "nobody waited for the other"
    turn.stop()
    *_, ended = events
    assert isinstance(ended, TurnEnded)
    assert answer["text"] == alone["Another"]
    assert ended.message.text.startswith(alone["One"])


def test_other_options_load_a_model_of_the_commands_own(
    services: Services, model: InstalledModel, start: Callable[..., Command]
) -> None:
    finish(ask(services, model, "Hello", 2))
    command = start("n_ctx=1024")
    assert command.workers()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_ctrl_c_stops_the_command_and_leaves_the_window_its_model(
    services: Services, causeway: CommandLine, model: InstalledModel, start: Callable[..., Command]
) -> None:
    finish(ask(services, model, "Hello", 2))
    command = start()
    assert command.workers() == []
    assert services.engines.state.phase == "busy"
    command.process.send_signal(signal.SIGINT)
    assert command.end().startswith("Stopped. What there is of the answer is kept")
    wait_until(lambda: services.engines.state.phase == "ready")
    newest = causeway.json("conversations", "list")[0]["id"]
    answer = causeway.json("conversations", "show", newest)["messages"][-1]
    assert answer["status"] == "stopped"
    assert answer["text"]


def test_a_killed_command_occupies_the_model_no_longer(
    services: Services, model: InstalledModel, start: Callable[..., Command]
) -> None:
    finish(ask(services, model, "Hello", 2))
    command = start()
    assert services.engines.state.phase == "busy"
    command.process.kill()
    wait_until(lambda: services.engines.state.phase == "ready")
    assert finish(ask(services, model, "Hello", 2))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_suspended_command_keeps_nobody_from_another_model(
    services: Services,
    model: InstalledModel,
    start: Callable[..., Command],
    model_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loan, "_UNUSED_SECONDS", 0.5)
    finish(ask(services, model, "Hello", 2))
    command = start("max_tokens=300")
    command.process.send_signal(signal.SIGSTOP)
    try:
        assert services.engines.state.phase == "busy"
        other = services.library.find(str(model_file))
        turn = ask(services, other, "Hello", 2)
        stopper = threading.Timer(30, turn.stop)
        stopper.start()
        text = finish(turn)
        stopper.cancel()
        stopper.join()
        assert text, "the answer was over, and nobody read it"
    finally:
        command.process.send_signal(signal.SIGCONT)
    assert command.end() == "", "it hears all that was said to it"
    assert command.process.returncode == 0


def test_a_host_that_dies_is_told_and_the_next_command_loads_anew(
    causeway: CommandLine, start: Callable[..., Command], endless: Path
) -> None:
    host, guest = start(), start()
    assert host.workers()
    assert guest.workers() == []
    host.process.kill()
    error = guest.end()
    assert guest.process.returncode == 1
    assert "cut off" in error
    assert "has ended" in error
    rows = {row["id"]: row["status"] for row in causeway.json("conversations", "list")}
    assert "interrupted" in rows.values()
    again = causeway.json("chat", "-m", str(endless), *GREEDY, "--set", "max_tokens=2", "Again")
    assert again["timings"]["load_ms"] > 0
    assert list((causeway.home / "cache" / "lending").iterdir()) == []


def test_a_command_that_is_done_first_lets_the_other_be_answered(
    start: Callable[..., Command],
) -> None:
    host, guest = start("max_tokens=1200"), start("max_tokens=1500")
    assert guest.workers() == []
    for command in (host, guest):
        assert command.end() == ""
        assert command.process.returncode == 0


def test_a_command_that_opens_no_model_opens_no_socket(causeway: CommandLine) -> None:
    causeway.run("models")
    assert not (causeway.home / "cache" / "lending").exists()


def test_what_the_window_borrows_it_loads_once_the_command_is_done(
    services: Services, model: InstalledModel, start: Callable[..., Command]
) -> None:
    command = start()
    first = finish(ask(services, model, "Hello", 5))
    assert children(psutil.Process().pid) == [
        psutil.Process(command.process.pid),
        *command.workers(),
    ]
    command.process.kill()
    command.process.communicate(timeout=60)
    assert finish(ask(services, model, "Hello", 5)) == first
    assert children(psutil.Process().pid), "a worker of its own"
