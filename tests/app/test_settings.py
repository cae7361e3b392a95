import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from app.errors import AppError, StorageError
from app.settings import SETTINGS, Settings, checked_setting
from app.settings_file import SettingsFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


@pytest.fixture
def file(path: Path) -> SettingsFile:
    file = SettingsFile(path)
    file.load()
    return file


def written(path: Path) -> dict[str, object]:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_without_a_file_the_defaults_are_in_force(path, file):
    assert file.current == Settings()
    assert file.notice == ""
    assert not path.exists()


def test_a_change_is_in_force_at_once_and_at_the_next_start(path, file):
    changed = file.update(theme="dark", window={"width": 1280, "inspector": False})
    assert file.current is changed
    assert changed.theme == "dark"
    assert SettingsFile(path).load() == changed


def test_the_file_can_be_read_by_a_person_and_holds_only_what_differs(path, file):
    file.update(theme="dark", chat_defaults={"temperature": 0.5})
    assert path.read_text() == (
        '{\n  "theme": "dark",\n  "chat_defaults": {\n    "temperature": 0.5\n  }\n}\n'
    )
    file.update(theme="system")
    assert written(path) == {"chat_defaults": {"temperature": 0.5}}


def test_keys_of_a_newer_program_stay(path, file):
    write(path, '{"theme": "dark", "holograms": {"on": true}}')
    assert file.load().theme == "dark"
    assert file.notice == ""
    file.update(theme="light")
    assert written(path) == {"theme": "light", "holograms": {"on": True}}


def test_a_value_of_the_wrong_type_falls_back_and_is_told(path, file):
    write(
        path,
        '{"theme": 7, "unload_after_minutes": "soon", "last_model_id": "m", "window": {"x": []}}',
    )
    assert file.load() == Settings(last_model_id="m")
    for key in ("theme", "unload_after_minutes", "window", str(path)):
        assert key in file.notice
    file.update(last_model_id="n")
    assert written(path)["theme"] == 7  # a slip of the pen is the person's to mend


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff\xfe\x00", b"", b'{"a": ' + b"[" * 100_000, b" " * 1_100_000],
    ids=["cut off", "a list", "not text", "empty", "deep", "huge"],
)
def test_a_damaged_file_is_set_aside_with_a_sentence(path, file, content):
    write(path, content)
    assert file.load() == Settings()
    (aside,) = path.parent.glob("settings.damaged-*.json")
    assert aside.read_bytes() == content
    assert str(aside) in file.notice
    assert not path.exists()
    file.update(theme="light")
    assert written(path) == {"theme": "light"}


def test_damage_while_the_program_runs_is_set_aside_too(path, file):
    file.update(theme="dark")
    write(path, "{")
    file.update(last_model_id="m")
    assert written(path) == {"last_model_id": "m"}
    assert "damaged" in file.notice


def test_a_second_damaged_file_does_not_replace_the_first(path, file):
    for content in ("{1", "{2", "{3"):
        write(path, content)
        file.load()
    kept = sorted(aside.read_text() for aside in path.parent.glob("settings.damaged-*.json"))
    assert kept == ["{1", "{2", "{3"]


def test_a_file_that_cannot_be_read_is_told_and_not_replaced(path, file):
    path.mkdir(parents=True)
    assert file.load() == Settings()
    assert str(path) in file.notice
    with pytest.raises(StorageError):
        file.update(theme="dark")
    assert path.is_dir()
    assert file.current.theme == "system"


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("in the way")
    file = SettingsFile(tmp_path / "file" / "settings.json")
    with pytest.raises(StorageError) as told:
        file.update(theme="dark")
    assert told.value.what
    assert told.value.fix
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_failed_write_leaves_the_old_file_whole(path, file, monkeypatch):
    file.update(theme="dark")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StorageError, match="No space left"):
        file.update(theme="light")
    assert list(path.parent.iterdir()) == [path]
    assert written(path) == {"theme": "dark"}
    assert file.current.theme == "dark"


def test_another_processs_change_to_another_key_survives(path, file):
    file.update(theme="dark")
    code = (
        "import sys; from pathlib import Path; from app.settings_file import SettingsFile;"
        "SettingsFile(Path(sys.argv[1])).update(last_model_id='theirs', theme='light')"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)
    after = file.update(unload_after_minutes=30)
    assert after == Settings(theme="light", last_model_id="theirs", unload_after_minutes=30)


def test_threads_change_settings_at_once(path, file):
    def change(key: str, values: list[object]) -> None:
        for value in values:
            file.update(**{key: value})

    threads = [
        threading.Thread(target=change, args=("theme", ["dark", "light"] * 10)),
        threading.Thread(target=change, args=("unload_after_minutes", [5, 30] * 10)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SettingsFile(path).load() == Settings(theme="light", unload_after_minutes=30)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"),
        ("theme", 1),
        ("unload_after_minutes", 7),
        ("unload_after_minutes", "10"),
        ("package_index", "http://example.org/simple"),
        ("package_index", "ftp://example.org/simple"),
        ("package_index", "example.org/simple"),
        ("package_index", "https://"),
        ("package_index", "https://[broken"),
        ("package_index", "file:///etc/passwd"),
        ("package_index", "http://localhost.example.org/"),
        ("models_folder", "somewhere/relative"),
        ("models_folder", "~nobody-of-that-name/models"),
        ("models_folder", "/not/text/\udcff"),
        ("chat_defaults", {"a": []}),
        ("no_such_key", 1),
    ],
)
def test_an_impossible_value_is_refused_in_words(path, file, key, value):
    with pytest.raises(AppError) as told:
        file.update(**{key: value})
    assert str(value) in str(told.value) or key in str(told.value)
    assert file.current == Settings()
    assert not path.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("package_index", ""),
        ("package_index", "https://user:word@example.org:8443/simple/"),
        ("package_index", "http://127.0.0.1:3141/root/simple"),
        ("package_index", "http://[::1]:3141/"),
        ("package_index", "http://localhost/simple"),
        ("models_folder", str(Path.cwd())),
        ("models_folder", "~/models"),
        ("unload_after_minutes", 0),
    ],
)
def test_a_possible_value_is_taken_as_it_is(key, value):
    assert checked_setting(key, value) == value


def test_every_declared_setting_is_a_setting_with_that_default():
    defaults = msgspec.structs.asdict(Settings())
    for setting in SETTINGS:
        assert setting.default == defaults[setting.key]
        assert setting.title
        assert setting.help.endswith(".")
        assert bool(setting.choices) == (setting.kind == "choice")
        for choice in setting.choices:
            assert checked_setting(setting.key, choice.value) == choice.value
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)


def test_folders_beside_the_file_move_with_it(path, file, tmp_path):
    inside, outside = str(path.parent / "more" / "models"), str(tmp_path / "outside")
    file.update(models_folder=inside, model_folders=(inside, outside))
    assert written(path) == {
        "models_folder": "./more/models",
        "model_folders": ["./more/models", outside],
    }
    path.parent.rename(tmp_path / "moved")
    moved = SettingsFile(tmp_path / "moved" / "settings.json").load()
    there = str(tmp_path / "moved" / "more" / "models")
    assert (moved.models_folder, moved.model_folders) == (there, (there, outside))
