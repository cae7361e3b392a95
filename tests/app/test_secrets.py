from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from app.errors import AppError
from app.secrets import HUB_VARIABLE, Secrets
from app.settings_file import SettingsFile
from tests.memory_keyring import LockedKeyring, MemoryKeyring

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
    return SettingsFile(tmp_path / "settings.json")


def test_a_token_is_kept_by_the_keyring_and_in_no_file(kept, settings, tmp_path):
    Secrets(settings).set_hub_token(f" {TOKEN}\n")
    assert Secrets(settings).hub_token() == TOKEN
    assert list(kept.kept.values()) == [TOKEN]
    for file in tmp_path.rglob("*"):
        assert TOKEN not in file.read_text()


def test_a_removed_token_is_gone_from_the_keyring(kept, settings):
    secrets = Secrets(settings)
    secrets.set_hub_token(TOKEN)
    secrets.remove_hub_token()
    assert secrets.hub_token() == ""
    assert not kept.kept
    secrets.remove_hub_token()


def test_without_a_token_the_keyring_is_not_even_asked(settings):
    before = keyring.get_keyring()
    keyring.set_keyring(LockedKeyring())
    try:
        assert Secrets(settings).hub_token() == ""
    finally:
        keyring.set_keyring(before)


def test_the_environment_s_token_counts_where_none_is_set(kept, settings, monkeypatch):
    monkeypatch.setenv(HUB_VARIABLE, "hf_of_the_environment")
    secrets = Secrets(settings)
    assert secrets.hub_token() == "hf_of_the_environment"
    secrets.set_hub_token(TOKEN)
    assert secrets.hub_token() == TOKEN


@pytest.mark.parametrize("token", ["", "  ", "two words", "ümlaut", "x" * 2000])
def test_what_is_no_token_is_refused(kept, settings, token):
    with pytest.raises(AppError, match="no token"):
        Secrets(settings).set_hub_token(token)
    assert not kept.kept


@pytest.mark.parametrize("broken", [LockedKeyring, NoKeyring])
def test_a_keyring_that_does_not_work_is_said_in_words(settings, broken):
    before = keyring.get_keyring()
    keyring.set_keyring(broken())
    try:
        with pytest.raises(AppError, match="keyring") as error:
            Secrets(settings).set_hub_token(TOKEN)
    finally:
        keyring.set_keyring(before)
    assert TOKEN not in str(error.value)
    assert HUB_VARIABLE in error.value.fix
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
            Secrets(settings).set_hub_token(TOKEN)
    finally:
        keyring.set_keyring(before)
    assert not plain.kept
