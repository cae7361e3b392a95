"""What comes, changes and goes is noticed soon; what does not matter is not."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.library import watching
from catalog.library.watching import WatchedFolder, watch_folders
from tests.catalog.library.conftest import OpenLibrary
from tests.gguf_files import write_model

PATIENCE = 60.0


class Calls:
    """Counts how often it was called, and waits for the next time."""

    def __init__(self) -> None:
        self.count = 0
        self._called = threading.Condition()

    def __call__(self) -> None:
        with self._called:
            self.count += 1
            self._called.notify_all()

    def wait_for_more(self, before: int) -> bool:
        with self._called:
            return self._called.wait_for(lambda: self.count > before, PATIENCE)

    def settle(self) -> int:
        """The count when no call has come for a while, the first having come."""
        assert self.wait_for_more(0)
        while True:
            before = self.count
            time.sleep(0.35)
            if self.count == before:
                return before


@pytest.fixture
def calls() -> Calls:
    return Calls()


Watch = Callable[..., None]


@pytest.fixture(params=["by the system", "by looking"])
def watch(
    request: pytest.FixtureRequest, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watch]:
    if request.param == "by looking":
        monkeypatch.setattr(watching, "_can_be_watched", lambda folder: False)
    ends: list[Callable[[], None]] = []

    def begin(*folders: Path) -> None:
        ends.append(
            watch_folders(
                lambda: [WatchedFolder(folder) for folder in folders],
                calls,
                quiet_seconds=0.1,
                look_again_seconds=0.1,
            )
        )

    yield begin
    for end in ends:
        end()


def test_it_tells_once_when_it_stands(tmp_path: Path, watch: Watch, calls: Calls) -> None:
    watch(tmp_path)
    assert calls.settle() == 1


@pytest.mark.parametrize("where", ["m.gguf", "a/b/m.GGUF", "manifests/host/library/m/1b"])
def test_a_model_that_comes_changes_and_goes_is_told(
    tmp_path: Path, watch: Watch, calls: Calls, where: str
) -> None:
    path = tmp_path / where
    path.parent.mkdir(parents=True, exist_ok=True)
    watch(tmp_path)
    for change in (
        lambda: path.write_bytes(b"GGUF"),
        lambda: path.write_bytes(b"GGUF and more"),
        path.unlink,
    ):
        before = calls.settle()
        change()
        assert calls.wait_for_more(before)


def test_a_folder_that_is_moved_in_is_told_and_watched(
    tmp_path: Path, watch: Watch, calls: Calls
) -> None:
    (tmp_path / "watched").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "m.gguf").touch()
    watch(tmp_path / "watched")
    before = calls.settle()
    (tmp_path / "new").rename(tmp_path / "watched" / "new")
    assert calls.wait_for_more(before)
    before = calls.settle()
    (tmp_path / "watched" / "new" / "other.gguf").touch()
    assert calls.wait_for_more(before)


def test_what_is_no_model_is_not_told(tmp_path: Path, watch: Watch, calls: Calls) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    watch(tmp_path)
    before = calls.settle()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "m.gguf.part").write_bytes(b"x")
    (tmp_path / "m.gguf").read_bytes()
    assert calls.settle() == before


def test_a_folder_that_appears_is_watched_from_then_on(
    tmp_path: Path, watch: Watch, calls: Calls
) -> None:
    late = tmp_path / "late"
    watch(late)
    before = calls.settle()
    late.mkdir()
    assert calls.wait_for_more(before)
    before = calls.settle()
    (late / "m.gguf").touch()
    assert calls.wait_for_more(before)


def test_a_folder_that_is_made_anew_is_watched_anew(
    tmp_path: Path, watch: Watch, calls: Calls
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    watch(folder)
    before = calls.settle()
    folder.rename(tmp_path / "old")
    folder.mkdir()
    assert calls.wait_for_more(before)
    before = calls.settle()
    (folder / "m.gguf").touch()
    assert calls.wait_for_more(before)


def test_many_changes_at_once_are_told_together(tmp_path: Path, watch: Watch, calls: Calls) -> None:
    watch(tmp_path)
    before = calls.settle()
    for number in range(50):
        (tmp_path / f"{number}.gguf").touch()
    assert calls.wait_for_more(before)
    assert calls.settle() - before < 5


def test_it_can_be_ended_from_within_a_call(tmp_path: Path) -> None:
    ended = threading.Event()
    ends: list[Callable[[], None]] = []
    ready = threading.Event()

    def end() -> None:
        ready.wait(PATIENCE)
        ends[0]()
        ended.set()

    ends.append(watch_folders(lambda: [WatchedFolder(tmp_path)], end, quiet_seconds=0.0))
    ready.set()
    assert ended.wait(PATIENCE)


def test_a_tree_with_links_is_looked_at_so_that_what_they_lead_to_is_seen(
    tmp_path: Path, calls: Calls
) -> None:
    (tmp_path / "watched").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "watched" / "link").symlink_to(tmp_path / "elsewhere")
    end = watch_folders(
        lambda: [WatchedFolder(tmp_path / "watched")],
        calls,
        quiet_seconds=0.1,
        look_again_seconds=0.1,
    )
    before = calls.settle()
    (tmp_path / "elsewhere" / "m.gguf").touch()
    assert calls.wait_for_more(before)
    end()


def test_the_library_watches_its_own_folder_and_those_of_added_files(
    tmp_path: Path, folder: Path, open_library: OpenLibrary, calls: Calls
) -> None:
    library = open_library()
    added = write_model(tmp_path / "added.gguf")
    library.add_file(added)
    end = library.watch(calls)
    for change in (lambda: write_model(folder / "m.gguf", seed=1), added.unlink):
        before = calls.settle()
        change()
        assert calls.wait_for_more(before)
    end()
