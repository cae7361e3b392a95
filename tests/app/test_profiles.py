import os
from pathlib import Path

import pytest

from app.errors import AppError, StorageError
from app.profiles import Profiles

MODEL = "tiny"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "profiles.json"


@pytest.fixture
def profiles(path: Path) -> Profiles:
    return Profiles(path)


def test_the_first_profile_of_a_model_is_in_use_and_survives(path, profiles):
    made = profiles.create(MODEL, "Brief", {"temperature": 0.2, "system_prompt": "Be brief."})
    again = Profiles(path)
    assert again.of(MODEL) == (made,)
    assert again.in_use(MODEL) == made
    assert again.of("another") == ()


def test_a_copy_has_the_same_options_and_a_name_of_its_own(profiles):
    made = profiles.create(MODEL, "Brief", {"temperature": 0.2})
    copy = profiles.duplicate(made.id)
    another = profiles.duplicate(made.id, "Wordy")
    assert (copy.name, copy.options, copy.in_use) == ("Brief 2", made.options, False)
    assert another.name == "Wordy"
    profiles.save(copy.id, {"temperature": 1.0})
    assert [each.options["temperature"] for each in profiles.of(MODEL)] == [0.2, 1.0, 0.2]


def test_a_copy_of_the_longest_name_has_room_for_its_number(profiles):
    made = profiles.create(MODEL, "N" * 200)
    names = [made.name, *(profiles.duplicate(made.id).name for _ in range(10))]
    assert len(set(names)) == 11
    assert max(map(len, names)) == len(made.name)


def test_one_profile_of_a_model_is_in_use_at_most(profiles):
    first = profiles.create(MODEL, "One")
    second = profiles.create(MODEL, "Two")
    other = profiles.create("another", "Three")
    profiles.use(MODEL, second.id)
    assert profiles.in_use(MODEL).id == second.id
    assert profiles.in_use("another").id == other.id
    profiles.use(MODEL, None)
    assert profiles.in_use(MODEL) is None
    with pytest.raises(AppError, match="another model"):
        profiles.use("another", first.id)


def test_a_profile_can_be_renamed_and_removed(profiles):
    made = profiles.create(MODEL, "Brief")
    assert profiles.rename(made.id, "  Short and \n sharp ").name == "Short and sharp"
    profiles.remove(made.id)
    assert profiles.of(MODEL) == ()
    with pytest.raises(AppError, match="gone"):
        profiles.rename(made.id, "Again")


@pytest.mark.parametrize("name", ["", " ", "brief"])
def test_a_name_must_say_something_and_be_new(profiles, name):
    profiles.create(MODEL, "Brief")
    with pytest.raises(AppError, match="name"):
        profiles.create(MODEL, name)


@pytest.mark.parametrize("options", [{"temperature": 9}, {"no_such_key": 1}, {"top_k": "many"}])
def test_options_that_are_none_are_refused(profiles, options):
    with pytest.raises(AppError):
        profiles.create(MODEL, "Bad", options)
    assert profiles.of(MODEL) == ()


@pytest.mark.parametrize("content", [b"", b"{", b'{"profiles": 7}', b"\xff\xfe"])
def test_a_damaged_file_is_set_aside(path, profiles, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert profiles.of(MODEL) == ()
    assert any(each.read_bytes() == content for each in path.parent.iterdir())
    assert profiles.create(MODEL, "New") == profiles.in_use(MODEL)


def test_settings_are_kept_under_a_name_that_is_free_and_in_use_at_once(profiles: Profiles) -> None:
    first = profiles.keep("m", "  Terse \n chat ", {"temperature": 0.5})
    second = profiles.keep("m", "Terse chat", {"temperature": 0.6})
    third = profiles.keep("m", "", {})
    assert [each.name for each in (first, second, third)] == [
        "Terse chat",
        "Terse chat 2",
        "Profile",
    ]
    in_use = profiles.in_use("m")
    assert in_use is not None
    assert in_use.id == third.id


def test_a_damaged_file_that_can_t_be_set_aside_keeps_nobody_from_asking(
    path, profiles, monkeypatch
):
    path.parent.mkdir()
    path.write_bytes(b"{")

    def refuse(source, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    assert profiles.in_use(MODEL) is None
    assert profiles.of(MODEL) == ()
    with pytest.raises(StorageError, match="could not be saved"):
        profiles.create(MODEL, "New")
    assert path.read_bytes() == b"{"
