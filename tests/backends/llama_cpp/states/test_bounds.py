"""What saved states take is bounded, on the disk and on the way to it."""

import threading
import time
from pathlib import Path

import msgspec
import pytest

from backends.llama_cpp import state_files, state_folder
from backends.llama_cpp.state_folder import folder_bytes
from tests.backends.llama_cpp.states.saved import (
    ANSWERS,
    KEY,
    PAYLOAD,
    SECONDS,
    STACK,
    TOKENS,
    Open,
    age,
    branch,
    names,
    only,
    save,
)


def test_the_state_used_least_recently_leaves_first(opened: Open, folder: Path) -> None:
    states = opened(limit_bytes=3 * len(PAYLOAD) + 20_000)
    for number in range(3):
        save(states, branch(number))
    for position, state in enumerate(states.known(STACK)):
        age(folder / state.name, 1000 + position)
    oldest = states.known(STACK)[-1]
    assert states.read(oldest) == PAYLOAD
    save(states, branch(3))
    assert sorted(state.tokens[0] for state in states.known(STACK)) == [0, 2, 3]
    assert folder_bytes(folder) <= 3 * len(PAYLOAD) + 20_000


def test_the_bound_counts_the_states_of_all_models(opened: Open, folder: Path) -> None:
    limit = len(PAYLOAD) + 10_000
    save(opened(msgspec.structs.replace(KEY, model="other weights"), limit_bytes=limit))
    states = opened(limit_bytes=limit)
    save(states)
    assert names(folder) == {only(states).name}


def test_a_state_larger_than_the_bound_is_not_saved_and_nothing_leaves_for_it(
    opened: Open, folder: Path
) -> None:
    states = opened(limit_bytes=len(PAYLOAD) + 10_000)
    save(states)
    save(states, branch(1), PAYLOAD * 2)
    assert [state.tokens[0] for state in states.known(STACK)] == [TOKENS[0]]


def test_a_nearly_full_disk_gives_states_no_more_than_a_share(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = state_folder.shutil.disk_usage(folder.parent.parent)
    monkeypatch.setattr(
        state_folder.shutil, "disk_usage", lambda path: usage._replace(free=3 * len(PAYLOAD))
    )
    states = opened()
    save(states)
    assert not states.known(STACK)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_costs_the_state_and_no_more(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(state_files, "create_private", lambda path: Path("/dev/full").open("wb"))  # noqa: SIM115
        states = opened()
        save(states)
    assert not states.known(STACK)
    assert "could not be saved" in caplog.text
    save(states)
    assert states.read(only(states)) == PAYLOAD


def test_a_folder_that_cannot_be_made_costs_the_state_and_no_more(
    opened: Open, folder: Path
) -> None:
    folder.parent.write_text("a file")
    states = opened()
    save(states)
    assert not states.known(STACK)


def test_what_waits_to_be_written_is_bounded_and_the_oldest_is_dropped(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, writing = threading.Event(), threading.Event()
    make_room = state_folder.make_room

    def wait(*args: object) -> bool:
        writing.set()
        go_on.wait(SECONDS)
        return make_room(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(state_files, "make_room", wait)
    monkeypatch.setattr(state_files, "BACKLOG_BYTES", 3 * len(PAYLOAD))
    states = opened()
    states.save(STACK, branch(0), ANSWERS, PAYLOAD)
    assert writing.wait(SECONDS)
    for number in range(1, 5):
        states.save(STACK, branch(number), ANSWERS, PAYLOAD)
    go_on.set()
    assert states.flush(SECONDS)
    assert sorted(state.tokens[0] for state in states.known(STACK)) == [0, 3, 4]


def test_closing_does_not_wait_for_what_is_not_yet_written(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created, closing = threading.Event(), threading.Event()
    create = state_files.create_private

    def wait(path: Path) -> object:
        file = create(path)
        created.set()
        closing.wait(SECONDS)
        time.sleep(0.1)
        return file

    monkeypatch.setattr(state_files, "create_private", wait)
    states = opened()
    states.save(STACK, TOKENS, ANSWERS, PAYLOAD)
    states.save(STACK, branch(1), ANSWERS, PAYLOAD)
    assert created.wait(SECONDS)
    closing.set()
    states.close()
    assert not names(folder)
    states.save(STACK, TOKENS, ANSWERS, PAYLOAD)
    assert not states.known(STACK)
