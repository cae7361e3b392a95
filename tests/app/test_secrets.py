from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keyring
import keyring.backend
import msgspec
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from app.errors import AppError
from app.secrets import HUB_VARIABLE, Secrets
from app.secrets.sealed_file import PASSPHRASE_VARIABLE
from app.settings_file import SettingsFile
from tests.memory_keyring import (
    FullKeyring,
    HalfLockedKeyring,
    LockedKeyring,
    MemoryKeyring,
)

TOKEN = "hf_0123456789"


@pytest.fixture
def kept() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsFile:
    monkeypatch.delenv(HUB_VARIABLE, raising=False)
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    return SettingsFile(tmp_path / "settings.json")


def secrets_of(settings: SettingsFile) -> Secrets:
    return Secrets(settings, settings.path.with_name("secrets"))


@contextmanager
def keyring_is(ring: keyring.backend.KeyringBackend) -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(ring)
    try:
        yield
    finally:
        keyring.set_keyring(before)


def test_a_token_is_kept_by_the_keyring_and_in_no_file(kept, settings, tmp_path):
    secrets_of(settings).set_hub_token(f" {TOKEN}\n")
    assert secrets_of(settings).hub_token() == TOKEN
    assert list(kept.kept.values()) == [TOKEN]
    for file in tmp_path.rglob("*"):
        assert TOKEN not in file.read_text()


def test_a_removed_token_is_gone_from_the_keyring(kept, settings):
    secrets = secrets_of(settings)
    secrets.set_hub_token(TOKEN)
    secrets.remove_hub_token()
    assert secrets.hub_token() == ""
    assert not kept.kept
    secrets.remove_hub_token()


def test_without_a_token_the_keyring_is_not_even_asked(settings):
    before = keyring.get_keyring()
    keyring.set_keyring(LockedKeyring())
    try:
        assert secrets_of(settings).hub_token() == ""
    finally:
        keyring.set_keyring(before)


def test_the_environment_s_token_counts_where_none_is_set(kept, settings, monkeypatch):
    monkeypatch.setenv(HUB_VARIABLE, "hf_of_the_environment")
    secrets = secrets_of(settings)
    assert secrets.hub_token() == "hf_of_the_environment"
    secrets.set_hub_token(TOKEN)
    assert secrets.hub_token() == TOKEN


@pytest.mark.parametrize("token", ["", "  ", "two words", "ümlaut", "x" * 2000])
def test_what_is_no_token_is_refused(kept, settings, token):
    with pytest.raises(AppError, match="no token"):
        secrets_of(settings).set_hub_token(token)
    assert not kept.kept


@pytest.mark.parametrize("broken", [LockedKeyring, NoKeyring])
def test_a_keyring_that_does_not_work_is_said_in_words(settings, broken):
    before = keyring.get_keyring()
    keyring.set_keyring(broken())
    try:
        with pytest.raises(AppError, match="keyring") as error:
            secrets_of(settings).set_hub_token(TOKEN)
    finally:
        keyring.set_keyring(before)
    assert TOKEN not in str(error.value)
    assert "sealed file" in error.value.fix
    assert "backend" not in str(error.value)
    assert not settings.current.has_hub_token


def test_a_keyring_in_a_plain_file_is_refused(settings):
    class PlaintextKeyring(MemoryKeyring):
        pass

    before = keyring.get_keyring()
    plain = PlaintextKeyring()
    keyring.set_keyring(plain)
    try:
        with pytest.raises(AppError, match="plain file"):
            secrets_of(settings).set_hub_token(TOKEN)
    finally:
        keyring.set_keyring(before)
    assert not plain.kept


KEY = "sk-proj-0123456789abcdef"
PASSPHRASE = "a road across the water"


def test_a_sealed_file_keeps_keys_where_there_is_no_keyring(settings, tmp_path):
    with keyring_is(NoKeyring()):
        secrets = secrets_of(settings)
        assert not secrets.state().usable
        assert "keyring" in secrets.state().reason
        with pytest.raises(AppError, match="no keyring"):
            secrets.write("connection/openai", KEY)
        secrets.use_file(PASSPHRASE)
        secrets.write("connection/openai", KEY)
        assert secrets.state().usable
        settings.load()
        other = secrets_of(settings)
        assert other.state().locked
        assert other.read("connection/openai") == ""
        with pytest.raises(AppError, match="passphrase is wrong"):
            other.unlock("another one")
        other.unlock(PASSPHRASE)
        assert other.read("connection/openai") == KEY
    for file in tmp_path.rglob("*"):
        content = file.read_bytes()
        assert KEY.encode() not in content
        assert PASSPHRASE.encode() not in content


def test_the_environment_s_passphrase_opens_the_file(settings, monkeypatch):
    secrets = secrets_of(settings)
    secrets.use_file(PASSPHRASE)
    secrets.write("server-key", KEY)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    assert secrets_of(settings).read("server-key") == KEY


def test_a_short_passphrase_is_refused(settings):
    with pytest.raises(AppError, match="too short"):
        secrets_of(settings).use_file("short")
    assert settings.current.secrets_place == "keyring"


@pytest.mark.parametrize("damage", ["cut", "changed", "other", "dear"])
def test_a_damaged_sealed_file_is_said_in_words(settings, damage):
    secrets_of(settings).use_file(PASSPHRASE)
    file = settings.path.with_name("secrets")
    content = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(content[:-20])
        case "changed":
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "other":
            file.write_bytes(b"not msgpack at all")
        case "dear":
            held = msgspec.msgpack.decode(content)
            file.write_bytes(msgspec.msgpack.encode(held | {"cost": 2**40}))
    with pytest.raises(AppError, match=r"damaged|can't be opened"):
        secrets_of(settings).unlock(PASSPHRASE)


def test_keys_move_with_the_choice_of_their_place(kept, settings):
    secrets = secrets_of(settings)
    secrets.set_hub_token(TOKEN)
    secrets.write("server-key", KEY)
    secrets.use_file(PASSPHRASE)
    assert not kept.kept
    assert secrets.read("server-key") == KEY
    assert secrets.hub_token() == TOKEN
    secrets.use_keyring()
    assert sorted(kept.kept.values()) == sorted([KEY, TOKEN])
    assert secrets_of(settings).read("server-key") == KEY


def test_a_file_that_another_process_replaced_wants_its_own_passphrase(settings):
    mine = secrets_of(settings)
    mine.use_file(PASSPHRASE)
    mine.write("server-key", KEY)
    settings.path.with_name("secrets").unlink()
    secrets_of(settings).use_file("another passphrase")
    with pytest.raises(AppError, match="replaced"):
        mine.write("server-key", KEY)


NAMES = ("connection/one", "connection/two", "server-key")


def write_all(secrets: Secrets) -> None:
    for name in NAMES:
        secrets.write(name, f"{KEY}-{name}")


def read_all(secrets: Secrets) -> list[str]:
    return [secrets.read(name) for name in NAMES]


def test_a_place_that_refuses_one_key_leaves_all_of_them_where_they_were(settings):
    mine = secrets_of(settings)
    mine.use_file(PASSPHRASE)
    write_all(mine)
    there = read_all(mine)
    ring = FullKeyring(room=2)
    with keyring_is(ring):
        with pytest.raises(AppError, match="locked meanwhile") as told:
            mine.use_keyring()
        assert "still in the sealed file" in told.value.fix
        assert settings.current.secrets_place == "file"
        assert read_all(mine) == there
        assert not ring.kept
        again = secrets_of(settings)
        again.unlock(PASSPHRASE)
        assert read_all(again) == there


def test_settings_that_can_t_be_written_leave_keys_where_they_were(kept, settings, monkeypatch):
    mine = secrets_of(settings)
    write_all(mine)
    there, in_ring = read_all(mine), dict(kept.kept)
    before = settings.path.read_bytes()
    settings.path.unlink()
    settings.path.mkdir()  # no file can be put there
    with pytest.raises(AppError, match="can't be moved"):
        mine.use_file(PASSPHRASE)
    settings.path.rmdir()
    settings.path.write_bytes(before)
    settings.load()
    assert kept.kept == in_ring
    assert read_all(secrets_of(settings)) == there
    assert not settings.path.with_name("secrets").exists()


def test_what_the_other_place_had_before_is_there_again_after_a_failure(settings):
    ring = FullKeyring(room=2)
    ring.kept["causeway", NAMES[0]] = "another home's"
    mine = secrets_of(settings)
    mine.use_file(PASSPHRASE)
    write_all(mine)
    with keyring_is(ring), pytest.raises(AppError):
        mine.use_keyring()
    assert ring.kept == {("causeway", NAMES[0]): "another home's"}


def test_a_place_that_gives_up_only_some_keys_is_not_left(settings):
    ring = HalfLockedKeyring(NAMES[1])
    with keyring_is(ring):
        mine = secrets_of(settings)
        write_all(mine)
        with pytest.raises(AppError, match="locked"):
            mine.use_file(PASSPHRASE)
        assert settings.current.secrets_place == "keyring"
        assert len(ring.kept) == len(NAMES)


def test_a_locked_file_is_not_left_behind(kept, settings):
    mine = secrets_of(settings)
    mine.use_file(PASSPHRASE)
    write_all(mine)
    other = secrets_of(settings)
    with pytest.raises(AppError, match="locked"):
        other.use_keyring()
    assert settings.current.secrets_place == "file"
    other.unlock(PASSPHRASE)
    other.use_keyring()
    assert read_all(other) == read_all(mine)


def test_keys_that_another_process_kept_move_too(kept, settings, tmp_path):
    mine = secrets_of(settings)
    theirs = Secrets(SettingsFile(settings.path), tmp_path / "secrets")
    theirs.write("server-key", KEY)
    mine.use_file(PASSPHRASE)
    assert mine.read("server-key") == KEY
    assert not kept.kept
