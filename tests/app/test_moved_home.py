"""A home that was moved or copied: models, adapters, chats, profiles and settings are what they were."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.gguf_files import write_adapter, write_model

SHORT = ("--set", "max_tokens=2", "--set", "temperature=0")


def copy_without_times(home: Path, to: Path) -> None:
    """As a plain copy does on many systems; the original stays."""
    shutil.copytree(home, to, copy_function=shutil.copyfile)


def move(home: Path, to: Path) -> None:
    home.rename(to)


@pytest.fixture
def lived_in(tmp_path: Path) -> tuple[CommandLine, str]:
    """A home with a model in its own folder and one in a folder of the settings, an adapter, a chat, a profile."""
    causeway = CommandLine(tmp_path / "home")
    home = causeway.home
    for folder in ("models/maker/tiny", "more"):
        (home / folder).mkdir(parents=True)
    write_model(home / "models/maker/tiny/tiny.gguf")
    write_model(home / "more/other.gguf", seed=2, name="Other")
    write_adapter(home / "models/terse.gguf")
    causeway.run("settings", "model_folders", str(home / "more"))
    causeway.run("profiles", "save", "tiny", "Short", *SHORT)
    first = causeway.json("chat", "-m", "tiny", "-a", "terse:-0.5", *SHORT, "Hello")
    return causeway, first["conversation_id"]


@pytest.mark.parametrize("go", [move, copy_without_times])
def test_everything_works_where_the_home_lies_now(
    lived_in: tuple[CommandLine, str],
    go: Callable[[Path, Path], None],
    tmp_path: Path,
) -> None:
    causeway, chat = lived_in
    before = causeway.json("models")
    new_home = tmp_path / "elsewhere" / "portable"
    new_home.parent.mkdir()
    go(causeway.home, new_home)
    moved = CommandLine(new_home)
    after = moved.json("models")
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert all(str(new_home) in each["path"] for each in after)
    profiles = moved.json("profiles", "tiny")
    assert [each["name"] for each in profiles] == ["Short"]
    answer = moved.run("chat", "-c", chat, "--json", "And now?")
    assert "left out" not in answer.stderr
    told = json.loads(answer.stdout)
    assert told["model"] == "tiny"
    assert [(each["id"], each["scale"]) for each in told["adapters"]] == [("terse", -0.5)]
    assert str(causeway.home) not in (new_home / "settings.json").read_text()
    assert str(causeway.home) not in (new_home / "library.json").read_text()
