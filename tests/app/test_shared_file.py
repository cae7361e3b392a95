"""Two processes that change one small file lose nothing of each other's."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import shared_file
from app.profiles import Profiles
from app.settings_file import SettingsFile
from catalog.lock_file import locked


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    """A lock is the file's, not the process's: to hold it here is to hold it elsewhere."""
    with locked(path.with_name(f"{path.name}.lock"), threading.Event()):
        yield


@contextmanager
def meanwhile_held(path: Path, work: Callable[[], object]) -> Iterator[None]:
    """Begin `work` while another process holds the file; it must not be done before that lets go."""
    with held_by_another(path):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.3)
        was_waiting = thread.is_alive()
        yield
    thread.join()
    assert was_waiting


def test_a_setting_that_another_process_changes_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    with meanwhile_held(path, lambda: file.update(theme="dark")):
        path.write_text('{"offline": true}', encoding="utf-8")
    assert (file.current.theme, file.current.offline) == ("dark", True)


def test_a_profile_that_another_process_makes_meanwhile_stays(tmp_path: Path) -> None:
    path, other = tmp_path / "profiles.json", tmp_path / "other.json"
    Profiles(other).create("m", "Theirs")
    profiles = Profiles(path)
    with meanwhile_held(path, lambda: profiles.create("m", "Ours")):
        path.write_bytes(other.read_bytes())
    assert {each.name for each in profiles.of("m")} == {"Theirs", "Ours"}


def test_a_process_that_hangs_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_file, "_LONGEST_SECONDS", 0.1)
    path = tmp_path / "settings.json"
    with held_by_another(path):
        assert SettingsFile(path).update(theme="dark").theme == "dark"
