import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from app.errors import AppError
from app.secrets import Secrets
from app.serving import KEY_VARIABLE, ServerKey, server_config, shown_key
from app.settings import Settings
from app.settings_file import SettingsFile
from tests.memory_keyring import MemoryKeyring


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return SettingsFile(tmp_path / "settings.json")


@pytest.fixture(params=[MemoryKeyring, NoKeyring], ids=["keyring", "no keyring"])
def key(request, settings):
    before = keyring.get_keyring()
    keyring.set_keyring(request.param())
    yield ServerKey(settings, Secrets(settings, settings.path.with_name("secrets")))
    keyring.set_keyring(before)


def test_a_key_is_made_once_and_lasts_where_it_can_be_kept(key, settings):
    first = key.value()
    assert len(first) > 24
    assert key.value() == first
    assert key.lasts == isinstance(keyring.get_keyring(), MemoryKeyring)
    if key.lasts:
        other = ServerKey(settings, Secrets(settings, settings.path.with_name("secrets")))
        assert other.value() == first


def test_a_new_key_takes_the_place_of_the_old(key):
    first = key.value()
    second = key.renew()
    assert second != first
    assert key.value() == second


def test_the_environment_s_key_comes_first(key, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "of-the-environment")
    assert key.value() == "of-the-environment"
    assert key.lasts
    with pytest.raises(AppError, match=KEY_VARIABLE):
        key.renew()


def test_a_key_that_is_kept_but_can_t_be_read_is_not_replaced_in_silence(settings):
    settings.update(secret_names=("server-key",))
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    try:
        with pytest.raises(AppError, match="can't be read"):
            ServerKey(settings, Secrets(settings, settings.path.with_name("secrets"))).value()
    finally:
        keyring.set_keyring(before)


def test_only_its_end_is_shown():
    assert shown_key("cw-0123456789abcd") == "••••abcd"
    assert shown_key("short") == "••••"


def test_the_network_never_gets_in_without_a_key(key):
    assert server_config(Settings(), key).host == "127.0.0.1"
    assert server_config(Settings(), key).key
    assert server_config(Settings(serve_key=False), key).key == ""
    open_wide = server_config(Settings(serve_key=False, serve_lan=True), key)
    assert open_wide.host == "0.0.0.0"
    assert open_wide.key
    assert open_wide.key not in repr(open_wide)
