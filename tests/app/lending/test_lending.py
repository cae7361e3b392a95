"""Who has loaded a model lends it: one worker for all processes of a home."""

import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from app.engines import EngineState
from app.lending import talk
from app.lending.addresses import Address, Addresses
from backends.errors import BadAdapter, EngineCrashed, LoadCancelled, PromptTooLong
from backends.protocol import (
    ChatRequest,
    Event,
    Finished,
    LoadOptions,
    Message,
    TextDelta,
)
from catalog.library import InstalledModel
from tests.app.lending.conftest import MakeParty, Party
from tests.scripted_backend import Script

OPTIONS = LoadOptions()
REQUEST = ChatRequest(messages=(Message(role="user", content="hello"),))
SLOW = Script(tokens=tuple("word " for _ in range(2000)), delay=0.005)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has named pipes")


def go_on(fraction: float) -> bool:
    return True


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def load(party: Party, model: InstalledModel, options: LoadOptions = OPTIONS) -> None:
    with party.engines.use(model, options, go_on):
        pass


def ask(party: Party, model: InstalledModel, options: LoadOptions = OPTIONS) -> list[Event]:
    with party.engines.use(model, options, go_on) as session:
        return list(session.chat(REQUEST))


def begin_and(do: Callable[[], object], party: Party, model: InstalledModel) -> None:
    """Something happens when an answer has begun."""
    with party.engines.use(model, OPTIONS, go_on) as session:
        stream = session.chat(REQUEST)
        next(stream)
        do()
        list(stream)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


@contextmanager
def running(work: Callable[[], object]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join()


def test_a_loaded_model_is_borrowed_instead_of_loaded(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    load(host, model)
    events = ask(guest, model)
    assert text_of(events) == "Hello, world."
    assert isinstance(events[-1], Finished)
    assert guest.backend.sessions == []
    assert len(host.backend.requests) == 1


def test_before_anything_is_loaded_nobody_listens(host: Party, folder: Path) -> None:
    assert not folder.exists()
    assert host.lending.guests == 0


def test_a_guest_tells_that_its_model_is_borrowed(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    load(host, model)
    seen: list[EngineState] = []
    guest.engines.subscribe(seen.append)
    ask(guest, model)
    assert [(state.phase, state.borrowed) for state in seen] == [
        ("busy", True),
        ("unloaded", False),
    ]
    assert seen[0].info is not None
    assert guest.engines.reclaimable == 0


def test_the_host_is_busy_while_it_serves_and_idle_afterwards(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on):
        assert host.engines.state.phase == "busy"
        assert host.lending.guests == 1
    wait_until(lambda: host.engines.state.phase == "ready")
    wait_until(lambda: host.lending.guests == 0)


def test_other_options_load_a_model_of_ones_own(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    load(host, model)
    ask(guest, model, LoadOptions(n_ctx=512))
    assert [session.options.n_ctx for session in guest.backend.sessions] == [512]
    assert host.backend.requests == []


def test_another_model_is_ones_own(
    host: Party, guest: Party, model: InstalledModel, other_model: InstalledModel
) -> None:
    load(host, model)
    ask(guest, other_model)
    assert len(guest.backend.sessions) == 1
    assert host.backend.requests == []


def test_two_models_are_lent_by_two_parties(
    make_party: MakeParty,
    host: Party,
    guest: Party,
    model: InstalledModel,
    other_model: InstalledModel,
) -> None:
    load(host, model)
    load(guest, other_model)
    third = make_party()
    ask(third, model)
    ask(third, other_model)
    assert third.backend.sessions == []
    assert [len(party.backend.requests) for party in (host, guest)] == [1, 1]


def test_a_guest_waits_for_a_load_instead_of_loading_too(
    host: Party, guest: Party, model: InstalledModel, folder: Path
) -> None:
    host.backend.script = Script(load_seconds=1.0)
    waits: list[None] = []
    with running(lambda: load(host, model)):
        wait_until(lambda: [file.suffix for file in files_of(folder)] == [".json"])
        with guest.engines.use(model, OPTIONS, go_on, on_wait=lambda: waits.append(None)):
            pass
    assert waits
    assert guest.backend.sessions == []


def test_when_the_load_fails_the_guest_loads_itself(
    host: Party, guest: Party, model: InstalledModel, folder: Path
) -> None:
    host.backend.script = Script(load_seconds=1.0, load_error=BadAdapter("No."))

    def fail() -> None:
        with pytest.raises(BadAdapter):
            load(host, model)

    with running(fail):
        wait_until(lambda: [file.suffix for file in files_of(folder)] == [".json"])
        load(guest, model)
    assert len(guest.backend.sessions) == 1


def test_both_are_answered_at_once(host: Party, guest: Party, model: InstalledModel) -> None:
    host.backend.script = SLOW
    load(host, model)
    with (
        host.engines.use(model, OPTIONS, go_on) as own,
        guest.engines.use(model, OPTIONS, go_on) as borrowed,
    ):
        streams = own.chat(REQUEST), borrowed.chat(REQUEST)
        for _ in range(50):
            for stream in streams:
                next(stream)
        for stream in streams:
            stream.close()
            assert list(stream)[-1].reason == "cancelled"


def test_one_guest_has_several_answers_at_once(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on) as session:
        streams = [session.chat(REQUEST) for _ in range(4)]
        assert [text_of(list(stream)) for stream in reversed(streams)] == ["Hello, world."] * 4
        assert session.count_tokens(REQUEST.messages) == 1


def test_where_one_at_a_time_is_answered_the_guest_waits_in_line(
    make_party: MakeParty, guest: Party, model: InstalledModel
) -> None:
    host = make_party(parallel=False)
    waiting, order = threading.Event(), []

    def second() -> None:
        with guest.engines.use(model, OPTIONS, go_on, on_wait=waiting.set):
            order.append("guest")

    load(host, model)
    with host.engines.use(model, OPTIONS, go_on):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(60)
        order.append("host")
    thread.join()
    assert order == ["host", "guest"]
    assert guest.backend.sessions == []


def test_a_guest_that_waits_can_give_up(
    make_party: MakeParty, guest: Party, model: InstalledModel
) -> None:
    host = make_party(parallel=False)
    cancelled = threading.Event()
    load(host, model)
    with (
        host.engines.use(model, OPTIONS, go_on),
        pytest.raises(LoadCancelled),
        guest.engines.use(model, OPTIONS, go_on, cancelled=cancelled, on_wait=cancelled.set),
    ):
        pass
    assert ask(host, model), "and the line goes on"


def test_a_guest_is_not_kept_waiting_for_a_model_that_is_gone(
    make_party: MakeParty,
    guest: Party,
    model: InstalledModel,
    other_model: InstalledModel,
) -> None:
    host = make_party(parallel=False)
    host_waits, guest_waits = threading.Event(), threading.Event()

    def change() -> None:
        with host.engines.use(other_model, OPTIONS, go_on, on_wait=host_waits.set):
            guest_done.wait(60)

    def borrow() -> None:
        with guest.engines.use(model, OPTIONS, go_on, on_wait=guest_waits.set):
            guest_done.set()

    guest_done = threading.Event()
    load(host, model)
    changing, borrowing = threading.Thread(target=change), threading.Thread(target=borrow)
    with host.engines.use(model, OPTIONS, go_on):
        changing.start()
        assert host_waits.wait(60)
        borrowing.start()
        assert guest_waits.wait(60)
    borrowing.join()
    assert guest_done.is_set()
    assert len(guest.backend.sessions) == 1
    changing.join()


def test_a_guest_keeps_the_model_in_memory_and_then_it_goes(
    make_party: MakeParty, guest: Party, model: InstalledModel
) -> None:
    host = make_party(unload_after=0.1)
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on) as session:
        time.sleep(0.3)
        assert text_of(list(session.chat(REQUEST))) == "Hello, world."
    wait_until(lambda: host.engines.state.phase == "unloaded")
    ask(guest, model)
    assert len(guest.backend.sessions) == 1, "the host no longer had it"


def test_cancelling_a_borrowed_answer_ends_it_for_the_host(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    host.backend.script = SLOW
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on) as session:
        stream = session.chat(REQUEST)
        next(stream)
        stream.close()
        *_, last = stream
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    assert 0 < last.usage.completion_tokens < 2000
    wait_until(lambda: host.engines.state.phase == "ready")


def test_a_guest_that_leaves_in_the_midst_ends_its_answer(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    host.backend.script = SLOW
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on) as session:
        next(session.chat(REQUEST))
    wait_until(lambda: host.engines.state.phase == "ready", seconds=5)


def test_errors_arrive_as_what_they_are(host: Party, guest: Party, model: InstalledModel) -> None:
    load(host, model)
    error = BadAdapter("It does not fit.", "Its rank differs.", "Take another.")

    def refuse(request: ChatRequest) -> None:
        raise error

    with guest.engines.use(model, OPTIONS, go_on) as session:
        host.backend.sessions[0].chat = refuse  # type: ignore[assignment,method-assign]
        with pytest.raises(BadAdapter) as caught:
            list(session.chat(REQUEST))
    assert str(caught.value) == "It does not fit. Its rank differs. Take another."
    wait_until(lambda: host.engines.state.phase == "ready")
    assert host.engines.state.problem is None, "it is not the host's"


def test_a_bug_of_the_host_is_no_silence(
    host: Party, guest: Party, model: InstalledModel, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: ChatRequest) -> None:
        raise ZeroDivisionError

    load(host, model)
    host.backend.sessions[0].chat = broken  # type: ignore[assignment,method-assign]
    with (
        pytest.raises(EngineCrashed, match="program that lent"),
        guest.engines.use(model, OPTIONS, go_on) as session,
    ):
        list(session.chat(REQUEST))
    assert "ZeroDivisionError" in caplog.text


def test_a_crash_of_the_worker_is_told_to_both(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    host.backend.script = Script(crash_at=1)
    load(host, model)
    with (
        pytest.raises(EngineCrashed, match="stopped working"),
        guest.engines.use(model, OPTIONS, go_on) as session,
    ):
        list(session.chat(REQUEST))
    assert (guest.engines.state.phase, guest.engines.state.borrowed) == ("crashed", True)
    wait_until(lambda: host.engines.state.phase == "crashed")
    assert host.engines.state.problem is not None
    host.backend.script = Script()
    guest.backend.script = Script(tokens=("again",))
    assert text_of(ask(guest, model)) == "again", "loaded by itself, as the host has it no more"


def test_a_host_that_ends_lets_the_answer_be_written(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    host.backend.script = Script(tokens=tuple("word " for _ in range(40)), delay=0.01)
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on) as session:
        stream = session.chat(REQUEST)
        events = [next(stream)]
        with running(lambda: host.close(patience_seconds=20)):
            events += stream
            assert text_of(events) == "word " * 40
            session.close()


def test_a_host_whose_patience_ends_cuts_the_answer_off_in_words(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    host.backend.script = SLOW
    load(host, model)
    with pytest.raises(EngineCrashed, match="has ended") as caught:
        begin_and(host.close, guest, model)
    assert caught.value.fix
    assert text_of(ask(guest, model)) == "Hello, world."
    assert len(guest.backend.sessions) == 1


def test_after_the_host_the_next_load_lends_anew(
    make_party: MakeParty, host: Party, guest: Party, model: InstalledModel, folder: Path
) -> None:
    load(host, model)
    host.close()
    assert files_of(folder) == []
    load(guest, model)
    third = make_party()
    ask(third, model)
    assert third.backend.sessions == []
    assert len(guest.backend.requests) == 1


def test_a_guest_that_closes_ends_what_it_borrowed(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    host.backend.script = SLOW
    load(host, model)
    with pytest.raises(EngineCrashed):
        begin_and(guest.engines.close, guest, model)
    wait_until(lambda: host.engines.state.phase == "ready")


def test_what_is_published_is_the_persons_alone(
    host: Party, model: InstalledModel, folder: Path
) -> None:
    load(host, model)
    (file,) = files_of(folder)
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        place = Path(msgspec.json.decode(file.read_bytes(), type=Address).address)
        assert stat.S_ISSOCK(place.stat().st_mode)
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_damaged_file_is_removed_and_nothing_borrowed(
    guest: Party, model: InstalledModel, folder: Path
) -> None:
    folder.mkdir()
    (folder / "broken.json").write_bytes(b"\x80 no address")
    load(guest, model)
    assert len(guest.backend.sessions) == 1
    assert not (folder / "broken.json").exists()


def test_another_version_of_the_program_is_not_asked(
    host: Party, guest: Party, model: InstalledModel, folder: Path
) -> None:
    load(host, model)
    (file,) = files_of(folder)
    address = msgspec.json.decode(file.read_bytes(), type=Address)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(address, version="0.0.1")))
    load(guest, model)
    assert len(guest.backend.sessions) == 1
    assert file.exists(), "it is another's, and alive"


@posix_only
def test_what_a_dead_host_left_is_removed(
    guest: Party, model: InstalledModel, folder: Path, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(left / "engine"))
    Addresses(folder).publish(str(left / "engine"), b"k" * 32)
    load(guest, model)
    assert len(guest.backend.sessions) == 1
    assert not left.exists()
    assert len(files_of(folder)) == 1, "its own alone"


@posix_only
def test_only_sockets_are_removed(
    guest: Party, model: InstalledModel, folder: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    Addresses(folder).publish(str(precious), b"k" * 32)
    load(guest, model)
    assert precious.read_text() == "mine"
    assert len(files_of(folder)) == 1


@posix_only
def test_a_host_that_says_nothing_is_not_waited_for(
    guest: Party, model: InstalledModel, folder: Path, tmp_path: Path
) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / "engine"))
        silent.listen()
        Addresses(folder).publish(str(tmp_path / "engine"), b"k" * 32)
        load(guest, model)
    assert len(guest.backend.sessions) == 1


def test_a_host_with_another_key_is_not_believed(
    host: Party, guest: Party, model: InstalledModel, folder: Path
) -> None:
    load(host, model)
    (file,) = files_of(folder)
    address = msgspec.json.decode(file.read_bytes(), type=Address)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(address, key=b"x" * 32)))
    load(guest, model)
    assert len(guest.backend.sessions) == 1
    assert host.backend.requests == []


def test_a_system_that_lets_nobody_listen_costs_nothing_else(
    host: Party, model: InstalledModel, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("not a folder")
    assert text_of(ask(host, model)) == "Hello, world."
    assert "not lent" in caplog.text


def test_a_prompt_too_large_to_hand_over_is_refused_in_words(
    host: Party, guest: Party, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(host, model)
    with guest.engines.use(model, OPTIONS, go_on) as session:
        monkeypatch.setattr(talk, "MAX_MESSAGE_BYTES", 1000)
        long = ChatRequest(messages=(Message(role="user", content="word " * 1000),))
        with pytest.raises(PromptTooLong, match="too long"):
            session.chat(long)
        assert text_of(list(session.chat(REQUEST))) == "Hello, world."
