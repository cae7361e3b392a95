"""Files with a person's choices that were damaged, from the command line."""

from pathlib import Path

import pytest

from app.paths import paths_under
from tests.app.cli_process import CommandLine


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_damaged_settings_are_told_and_put_back(causeway: CommandLine) -> None:
    file = paths_under(causeway.home).settings_file
    causeway.run(
        "connections", "add", "custom", "--url", "http://127.0.0.1:9/v1", "--title", "Desk"
    )
    causeway.run("settings", "theme", "dark")
    causeway.run("settings", "theme")
    file.write_bytes(b'{"theme": "da')
    told = causeway.run("settings", "theme")
    assert told.stdout == "system\n"
    assert "was damaged" in told.stderr
    assert "settings.damaged-" in told.stderr
    assert "causeway restore settings" in told.stderr
    causeway.run("settings", "offline", "on")
    (found,) = causeway.json("restore")
    assert (found["kept"], found["copy_time"] is None) == ("settings", False)
    causeway.run("restore", "settings")
    assert causeway.run("settings", "theme").stdout == "dark\n"
    assert [each["title"] for each in causeway.json("connections")] == ["Desk"]
    assert causeway.json("restore") == []
    (replaced,) = causeway.home.glob("settings.replaced-*.json")
    assert "offline" in replaced.read_text()


def test_damaged_profiles_are_told_by_whoever_meets_them(causeway: CommandLine) -> None:
    causeway.home.mkdir(parents=True)
    paths_under(causeway.home).profiles_file.write_bytes(b"{")
    (found,) = causeway.json("restore")
    assert (found["kept"], found["copy_time"]) == ("profiles", None)
    assert "copy" in causeway.error("restore", "profiles")
    assert "settings, profiles" in causeway.error("restore", "nonsense")
