"""Changes that other processes make to files are noticed."""

import threading
from pathlib import Path

from app.following import follow_files
from app.secrets import Secrets
from app.settings_file import SettingsFile
from catalog.whole_file import write_whole

WAIT = 20.0


def test_files_that_come_change_and_go_are_told(tmp_path: Path) -> None:
    file, folder = tmp_path / "settings.json", tmp_path / "lists"
    told: list[frozenset[Path]] = []
    news = threading.Condition()

    def on_change(changed: frozenset[Path]) -> None:
        with news:
            told.append(changed)
            news.notify_all()

    def wait_for(path: Path, count: int) -> None:
        with news:
            assert news.wait_for(lambda: sum(path in each for each in told) >= count, WAIT)

    file.write_text("{}")
    end = follow_files([file, folder], on_change, look_seconds=0.02)
    try:
        # The first look has no signal of its own: change the file until it is told.
        for number in range(1000):
            write_whole(file, f"{number}".encode())
            if threading.Event().wait(0.02) or told:
                break
        wait_for(file, 1)
        folder.mkdir()
        wait_for(folder, 1)
        write_whole(folder / "desk.json", b"[]")
        wait_for(folder, 2)
        file.unlink()
        wait_for(file, 2)
    finally:
        end()
    before = len(told)
    write_whole(file, b"again")
    assert len(told) == before  # nothing follows any more: the thread has ended


def test_settings_know_who_wrote_them(tmp_path: Path) -> None:
    mine, theirs = (SettingsFile(tmp_path / "settings.json") for _ in range(2))
    mine.load()
    assert not mine.read_again()
    mine.update(theme="dark")
    assert not mine.read_again()
    theirs.update(offline=True)
    assert mine.read_again()
    assert (mine.current.theme, mine.current.offline) == ("dark", True)
    assert not mine.read_again()
    theirs.update(offline=False)
    mine.update(theme="light")  # which reads theirs first
    assert mine.read_again()
    assert not mine.read_again()


def test_a_key_that_another_process_changed_is_asked_for_anew(tmp_path: Path) -> None:
    passphrase = "a road across the water"
    mine = Secrets(SettingsFile(tmp_path / "settings.json"), tmp_path / "secrets")
    mine.use_file(passphrase)
    mine.write("connection/desk", "sk-first")
    settings = SettingsFile(tmp_path / "settings.json")
    settings.load()
    theirs = Secrets(settings, tmp_path / "secrets")
    theirs.unlock(passphrase)
    theirs.write("connection/desk", "sk-second")
    assert mine.read("connection/desk") == "sk-first"
    mine.forget()
    assert mine.read("connection/desk") == "sk-second"
