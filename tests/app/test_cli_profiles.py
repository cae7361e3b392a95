"""`causeway profiles`, `downloads`, `settings` and `token`, each a real process."""

from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.catalog.file_server import FileServer


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_a_profile_is_made_copied_used_and_removed(causeway: CommandLine, model_file: Path) -> None:
    causeway.run("import", str(model_file))
    causeway.run("profiles", "save", "polite", "Brief", "--set", "max_tokens=1")
    assert causeway.run("profiles", "duplicate", "polite", "brief", "Long").stdout == "Long\n"
    causeway.run("profiles", "save", "polite", "Long", "--set", "max_tokens=99")
    assert [each["options"] for each in causeway.json("profiles", "polite")] == [
        {"max_tokens": 1},
        {"max_tokens": 99},
    ]
    assert causeway.json("chat", "-m", "polite", "hi")["finish_reason"] == "length"
    causeway.run("profiles", "use", "polite", "Long")
    assert causeway.json("chat", "-m", "polite", "hi")["finish_reason"] == "stop"
    causeway.run("profiles", "rename", "polite", "Long", "Longer")
    causeway.run("profiles", "remove", "polite", "Brief")
    assert [each["name"] for each in causeway.json("profiles", "polite")] == ["Longer"]
    assert "It has Longer" in causeway.error("profiles", "use", "polite", "Brief")


def test_a_profile_s_template_writes_the_prompt(causeway: CommandLine, model_file: Path) -> None:
    causeway.run("import", str(model_file))
    causeway.run("profiles", "save", "polite", "Odd", "--set", "chat_template={{ messages }")
    assert "template" in causeway.run("chat", "-m", "polite", "hi").stderr


def test_a_download_that_failed_is_listed_and_can_be_given_up(
    causeway: CommandLine, tmp_path: Path
) -> None:
    with FileServer({"x.gguf": b"GGUF" * 1000}, faults=["wrong bytes"], always=True) as server:
        address = f"{server.url}/none.gguf"
        causeway.error("pull", address)
    (failed,) = causeway.json("downloads")
    assert (failed["id"], failed["phase"]) == (address, "failed")
    assert failed["problem"]["what"]
    causeway.run("downloads", "cancel", address)
    assert causeway.json("downloads") == []
    assert "no download" in causeway.error("downloads", "pause", address)


def test_settings_are_listed_changed_and_reset(causeway: CommandLine) -> None:
    assert causeway.json("settings")["downloads_at_once"] == 2
    causeway.run("settings", "downloads_at_once", "3")
    causeway.run("settings", "model_folders", str(causeway.home), str(causeway.home.parent))
    assert causeway.run("settings", "downloads_at_once").stdout == "3\n"
    assert len(causeway.json("settings", "model_folders")["model_folders"]) == 2
    causeway.run("settings", "downloads_at_once", "--reset")
    assert causeway.json("settings")["downloads_at_once"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no_such_key"], "The settings are"),
        (["downloads_at_once", "many"], "whole number"),
        (["downloads_at_once", "99"], "from 1 to 8"),
        (["offline", "perhaps"], "on or off"),
        (["theme", "purple"], "system, light, dark"),
        (["hub_endpoint", "http://example.org"], "https://"),
        (["proxy", "carrier-pigeon"], "proxy"),
        (["proxy", "http://proxy.example:0"], "proxy"),
        (["proxy", "http://a proxy"], "proxy"),
        (["model_folders", "relative/folder"], "whole path"),
        (["catalogues", "http://example.org/c.json"], "https://"),
    ],
)
def test_a_value_that_is_none_is_refused_in_words(
    causeway: CommandLine, arguments: list[str], words: str
) -> None:
    assert words in causeway.error("settings", *arguments)


def test_without_a_keyring_a_token_is_refused_and_written_nowhere(causeway: CommandLine) -> None:
    done = causeway.run("token", "set", stdin="hf_secret\n", code=1)
    assert "no keyring that can be used" in done.stderr
    assert "hf_secret" not in done.stderr
    for file in causeway.home.rglob("*"):
        assert not file.is_file() or b"hf_secret" not in file.read_bytes()
    assert "No token is set" in causeway.error("token", "test")


def test_a_proxy_s_password_is_not_listed(causeway: CommandLine) -> None:
    causeway.run("settings", "proxy", "http://ada:secret-word@proxy.example:8080")
    assert "secret-word" not in causeway.run("settings").stdout
    assert "secret-word" not in causeway.run("settings", "proxy", "--json").stdout
