"""Small files that hold what a person chose: damaged ones are set aside, a good copy is kept."""

import os
from pathlib import Path

import msgspec
import pytest

from catalog.kept_file import KeptFile

GOOD, BETTER, BAD = b'{"a": "1"}', b'{"a": "2", "b": "3"}', b'{"a": '


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def kept(path: Path) -> KeptFile[dict[str, str]]:
    return KeptFile(path, lambda data: msgspec.json.decode(data, type=dict[str, str]), 1000)


def names(path: Path) -> list[str]:
    return sorted(each.name.partition("-20")[0] for each in path.parent.iterdir())


def refuse_renames(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a folder does in which nothing may be changed; the tests may run as root."""

    def refuse(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)


def test_what_is_absent_is_neither_damaged_nor_copied(path: Path) -> None:
    file = kept(path)
    assert file.read() is None
    assert file.damage is None
    assert file.restorable_from() is None
    assert names(path) == []


@pytest.mark.parametrize("content", [BAD, b"", b"\xff\xfe\0", b"[" * 100_000, b" " * 2000 + GOOD])
def test_the_last_good_copy_is_put_back_on_request(path: Path, content: bytes) -> None:
    for good in (GOOD, BETTER):
        path.write_bytes(good)
        assert kept(path).read() == msgspec.json.decode(good)
    path.write_bytes(content)
    file = kept(path)
    assert file.read() is None
    assert file.damage is not None
    assert file.damage.aside is not None
    assert file.damage.aside.read_bytes() == content
    path.write_bytes(GOOD)  # the program goes on with what it has, and is ended
    assert kept(path).read() == {"a": "1"}
    again = kept(path)
    assert again.restorable_from() is not None
    again.restore()
    assert again.read() == {"a": "2", "b": "3"}
    assert again.restorable_from() is None
    (replaced,) = path.parent.glob("settings.replaced-*.json")
    assert replaced.read_bytes() == GOOD


def test_without_a_good_copy_there_is_nothing_to_restore(path: Path) -> None:
    path.write_bytes(BAD)
    file = kept(path)
    assert file.read() is None
    assert file.damage is not None
    assert file.restorable_from() is None


def test_what_a_person_declines_is_asked_no_more_and_kept(path: Path) -> None:
    path.write_bytes(GOOD)
    file = kept(path)
    file.read()
    path.write_bytes(BAD)
    file.read()
    file.decline()
    assert (file.damage, file.restorable_from()) == (None, None)
    (declined,) = path.parent.glob("settings.declined-*.json")
    assert declined.read_bytes() == GOOD


def test_a_second_damage_loses_no_copy(path: Path) -> None:
    for good in (GOOD, BETTER):
        path.write_bytes(good)
        file = kept(path)
        assert file.read() is not None
        path.write_bytes(BAD)
        assert file.read() is None
    assert names(path) == [
        "settings.damaged",
        "settings.damaged",
        "settings.declined",
        "settings.restorable.json",
    ]
    file.restore()
    assert file.read() == {"a": "2", "b": "3"}


def test_what_can_t_be_set_aside_is_said_once_and_never_overwritten(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(BAD)
    file = kept(path)
    with monkeypatch.context() as patched:
        refuse_renames(patched)
        assert [file.read() for _ in range(3)] == [None, None, None]
        assert file.damage is not None
        assert (file.damage.aside, file.damage.reason) == (None, "Permission denied.")
        assert len(caplog.records) == 1
        with pytest.raises(PermissionError):
            file.make_way()
    assert path.read_bytes() == BAD
    file.make_way()
    assert not path.exists()
    (aside,) = path.parent.glob("settings.damaged-*.json")
    assert aside.read_bytes() == BAD


def test_a_file_that_somebody_mended_is_read_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(BAD)
    file = kept(path)
    with monkeypatch.context() as patched:
        refuse_renames(patched)
        assert file.read() is None
    path.write_bytes(GOOD)
    assert file.read() == {"a": "1"}
    assert file.damage is None


def test_a_folder_that_takes_no_copy_is_no_failure(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(GOOD)
    with monkeypatch.context() as patched:
        refuse_renames(patched)
        assert kept(path).read() == {"a": "1"}
    assert names(path) == ["settings.json"]
