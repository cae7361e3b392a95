"""Adapters from the command line, each command a real process."""

from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.gguf_files import write_adapter, write_model


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def files(causeway: CommandLine, tmp_path: Path) -> Path:
    """A folder with a model `tiny`, its adapter `terse`, and `wide`, which fits another model."""
    write_model(tmp_path / "tiny.gguf")
    write_adapter(tmp_path / "terse.gguf")
    write_adapter(tmp_path / "wide.gguf", n_embd=128)
    for name in ("tiny", "terse", "wide"):
        causeway.run("import", str(tmp_path / f"{name}.gguf"))
    return tmp_path


def test_show_tells_what_an_adapter_is_and_which_models_it_fits(
    causeway: CommandLine, files: Path
) -> None:
    (here,) = causeway.json("show", "terse")["installed"]
    assert (here["adapter"]["rank"], here["adapter"]["alpha"]) == (4, 8.0)
    assert here["adapter"]["models"] == [{"model": "tiny", "fits": True, "reason": ""}]
    text = causeway.run("show", "wide").stdout
    assert "Fits: no model here" in text
    assert "Not tiny: " in text
    assert causeway.json("show", "tiny")["installed"][0]["adapter"] is None


def test_an_answer_is_given_with_adapters_and_again_without(
    causeway: CommandLine, files: Path
) -> None:
    greedy = ("--set", "temperature=0", "--set", "max_tokens=12")
    plain = causeway.json("chat", "-m", "tiny", *greedy, "Hello")
    changed = causeway.json("chat", "-m", "tiny", "-a", "terse:2", *greedy, "Hello")
    assert changed["text"] != plain["text"]
    (used,) = changed["adapters"]
    assert (used["id"], used["scale"], len(used["sha256"])) == ("terse", 2.0, 64)
    again = causeway.json("chat", "-c", changed["conversation_id"], "--again", "--without-adapters")
    assert (again["text"], again["adapters"]) == (plain["text"], [])
    onwards = causeway.json("chat", "-c", changed["conversation_id"], "And now?")
    assert [each["id"] for each in onwards["adapters"]] == ["terse"], "the chat keeps its own"
    removed = causeway.json("chat", "-c", changed["conversation_id"], "-a", "none", "And now?")
    assert removed["adapters"] == []


def test_an_adapter_that_is_not_there_or_does_not_fit_is_named(
    causeway: CommandLine, files: Path
) -> None:
    assert "nobody" in causeway.error("chat", "-m", "tiny", "-a", "nobody", "Hello")
    done = causeway.run("chat", "-m", "tiny", "-a", "wide", "--set", "max_tokens=2", "Hello")
    assert "was left out" in done.stderr


def test_a_damaged_adapter_is_refused_in_words(causeway: CommandLine, files: Path) -> None:
    terse = files / "terse.gguf"
    terse.write_bytes(terse.read_bytes()[:-2000])
    error = causeway.run("chat", "-m", "tiny", "-a", str(terse), "Hello", code=1).stderr
    assert "terse.gguf" in error
    assert "Traceback" not in error


def test_a_profile_carries_adapters(causeway: CommandLine, files: Path) -> None:
    causeway.run("profiles", "save", "tiny", "Short", "-a", "terse:-0.5")
    answer = causeway.json("chat", "-m", "tiny", "--set", "max_tokens=2", "Hello")
    assert [(each["id"], each["scale"]) for each in answer["adapters"]] == [("terse", -0.5)]
    causeway.run("profiles", "save", "tiny", "Short", "-a", "none")
    answer = causeway.json("chat", "-m", "tiny", "--set", "max_tokens=2", "Hello")
    assert answer["adapters"] == []
