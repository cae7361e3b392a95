import pytest

from app.secrets.sealed_file import PASSPHRASE_VARIABLE
from app.serving import KEY_VARIABLE
from tests.app.cli_process import CommandLine

PASSPHRASE = "a road across the water"
KEY = "sk-proj-0123456789abcdef"


@pytest.fixture
def causeway(tmp_path, monkeypatch):
    for name in (PASSPHRASE_VARIABLE, KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    # No keyring answers here, whatever the machine has.
    return CommandLine(
        tmp_path / "home", {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    )


def test_without_a_keyring_the_person_is_told_what_to_do(causeway):
    assert "no keyring" in causeway.run("keys").stdout
    causeway.run("connections", "add", "openai")
    done = causeway.run("connections", "key", "openai", stdin=KEY, code=1)
    assert "sealed file" in done.stderr
    assert KEY not in done.stderr


def test_a_sealed_file_keeps_the_key_and_nothing_shows_it(causeway):
    causeway.run("keys", "use-file", stdin=f"{PASSPHRASE}\n")
    assert causeway.json("keys")["locked"]
    causeway.environment[PASSPHRASE_VARIABLE] = PASSPHRASE
    causeway.run("connections", "add", "openai")
    said = causeway.run("connections", "key", "openai", stdin=f"{KEY}\n")
    shown = causeway.run("connections")
    told = causeway.run("doctor", "--json", code=0)
    for done in (said, shown, told):
        assert KEY not in done.stdout + done.stderr
    for file in causeway.home.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
    causeway.environment[PASSPHRASE_VARIABLE] = "another passphrase"
    assert "passphrase is wrong" in causeway.run("keys").stdout


def test_the_server_s_key_lasts_where_it_can_be_kept(causeway):
    assert KEY_VARIABLE in causeway.error("keys", "server")
    causeway.environment[PASSPHRASE_VARIABLE] = PASSPHRASE
    causeway.run("keys", "use-file")
    first = causeway.run("keys", "server").stdout.strip()
    assert len(first) > 24
    assert causeway.run("keys", "server").stdout.strip() == first
    assert causeway.run("keys", "server", "--new").stdout.strip() != first
