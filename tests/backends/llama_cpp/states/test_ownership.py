"""Saved states are their owner's alone, and nobody else's files are touched."""

import os
import stat
from pathlib import Path

import pytest

from backends.llama_cpp import state_files
from backends.llama_cpp.state_folder import clear, erase, folder_bytes
from tests.backends.llama_cpp.states.saved import (
    PAYLOAD,
    STACK,
    Open,
    age,
    branch,
    names,
    only,
    save,
)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_only_the_owner_can_read_a_state_from_its_first_moment_on(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    create = state_files.create_private

    def note(path: Path) -> object:
        file = create(path)
        modes.append(stat.S_IMODE(path.stat().st_mode))
        return file

    monkeypatch.setattr(state_files, "create_private", note)
    mask = os.umask(0)
    try:
        save(opened())
    finally:
        os.umask(mask)
    modes += [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()]
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_files_that_are_not_ours_are_never_touched(opened: Open, folder: Path) -> None:
    folder.mkdir(parents=True)
    name = f"{'0' * 8}-{'0' * 16}-{'0' * 16}-{'0' * 16}.state"
    foreign = ["notes.txt", "x.state", f"{name}.bak", f"{name}.part", f"old {name}"]
    for each in foreign:
        (folder / each).write_text("mine")
        age(folder / each, 10**6)
    (folder / name.replace("0", "1")).mkdir()
    states = opened(limit_bytes=60_000)
    for number in range(3):
        save(states, branch(number))
    assert clear(folder) > len(PAYLOAD)
    assert names(folder) == {*foreign, name.replace("0", "1")}
    assert all((folder / each).read_text() == "mine" for each in foreign)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_are_not_followed(opened: Open, folder: Path, tmp_path: Path) -> None:
    states = opened()
    save(states)
    path = folder / only(states).name
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert not opened().known(STACK)
    assert folder_bytes(folder) == clear(folder) == 0
    assert path.is_symlink()
    assert elsewhere.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_pipe_in_place_of_a_state_stops_nobody(opened: Open, folder: Path) -> None:
    states = opened()
    save(states)
    state = only(states)
    (folder / state.name).unlink()
    os.mkfifo(folder / state.name)
    assert states.read(state) is None


def test_what_was_erased_is_not_saved_again_by_those_who_still_hold_it(
    opened: Open, folder: Path
) -> None:
    before = opened()
    save(before)
    erase(folder)
    save(before)
    assert folder_bytes(folder) == 0
    after = opened()
    save(after)
    assert folder_bytes(folder) > 0
    erase(folder)
    save(after, branch(1))
    assert folder_bytes(folder) == 0
