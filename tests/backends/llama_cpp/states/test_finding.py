"""Saved states are found again as they were, by those that they belong to."""

import threading
from pathlib import Path

import msgspec
import pytest

from backends.llama_cpp import state_files, state_folder
from backends.llama_cpp.state_folder import clear, folder_bytes
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
    only,
    save,
)


def test_a_state_is_found_again_by_another_process_of_the_same_model(opened: Open) -> None:
    save(opened())
    later = opened()
    state = only(later)
    assert tuple(state.tokens) == TOKENS
    assert state.answers == ANSWERS
    assert state.n_bytes == len(PAYLOAD)
    assert later.read(state) == PAYLOAD


def test_a_state_is_found_before_it_is_written(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    make_room = state_folder.make_room

    def wait(*args: object) -> bool:
        go_on.wait(SECONDS)
        return make_room(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(state_files, "make_room", wait)
    states = opened()
    states.save(STACK, TOKENS, ANSWERS, PAYLOAD)
    assert states.read(only(states)) == PAYLOAD
    assert not states.flush(0.05)
    go_on.set()
    assert states.flush(SECONDS)
    assert states.read(only(states)) == PAYLOAD


def test_tokens_that_the_caller_goes_on_changing_are_saved_as_they_were(opened: Open) -> None:
    states = opened()
    tokens = list(TOKENS)
    states.save(STACK, tokens, ANSWERS, PAYLOAD)
    tokens.append(1)
    assert states.flush(SECONDS)
    assert tuple(only(states).tokens) == TOKENS


def test_states_of_other_adapters_and_scales_are_kept_apart(opened: Open) -> None:
    states = opened()
    save(states)
    assert not states.known(())
    assert not states.known((("a" * 64, 0.25),))
    assert not states.known((("b" * 64, 0.5),))
    save(states, adapters=())
    assert len(states.known(())) == len(states.known(STACK)) == 1


@pytest.mark.parametrize("part", ["model", "template", "cache_type", "engine"])
def test_states_of_another_model_or_setting_are_not_found(opened: Open, part: str) -> None:
    save(opened())
    other = opened(msgspec.structs.replace(KEY, **{part: "another"}))
    assert not other.known(STACK)
    assert not list(other.answers())


def test_the_answers_of_all_stacks_are_told_the_newest_last(opened: Open, folder: Path) -> None:
    states = opened()
    states.save(STACK, branch(1), [("old", (1,))], PAYLOAD)
    assert states.flush(SECONDS)
    age(next(folder.iterdir()), 60)
    states.save((), branch(2), [("new", (2,))], PAYLOAD)
    assert states.flush(SECONDS)
    assert list(opened().answers()) == [("old", (1,)), ("new", (2,))]


def test_a_folder_that_is_not_there_holds_nothing(opened: Open, folder: Path) -> None:
    states = opened()
    assert not states.known(STACK)
    assert folder_bytes(folder) == clear(folder) == 0
    assert not folder.exists()


def test_a_state_takes_the_place_of_those_that_it_goes_on_from(opened: Open, folder: Path) -> None:
    states = opened()
    save(states, TOKENS[:100])
    save(states, TOKENS[:200])
    save(states, (*TOKENS[:150], 5))
    save(states, TOKENS[:200], adapters=())
    save(states, TOKENS)
    assert {len(state.tokens) for state in states.known(STACK)} == {300, 151}
    assert {len(state.tokens) for state in states.known(())} == {200}


def test_a_state_that_cannot_be_cut_leaves_its_beginnings_where_they_are(opened: Open) -> None:
    states = opened(can_cut=False)
    save(states, TOKENS[:100])
    save(states, TOKENS)
    assert {len(state.tokens) for state in states.known(STACK)} == {100, 300}


def test_a_state_takes_the_place_of_its_beginning_where_both_would_not_fit(opened: Open) -> None:
    states = opened(limit_bytes=2 * len(PAYLOAD) + 10_000)
    save(states, TOKENS[:100])
    save(states, branch(1))
    save(states, TOKENS)
    assert {len(state.tokens) for state in states.known(STACK)} == {300, 301}


def test_saving_the_same_again_writes_nothing(opened: Open, folder: Path) -> None:
    states = opened()
    save(states)
    path = folder / only(states).name
    file = path.stat().st_ino
    age(path, 1000)
    used = path.stat().st_mtime
    save(states)
    assert path.stat().st_ino == file
    assert path.stat().st_mtime > used
