"""`causeway doctor`: what a bug report needs, even when things are broken."""

import sqlite3
from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_a_sound_installation_has_no_problems(causeway: CommandLine, model_file: Path) -> None:
    causeway.run("import", str(model_file))
    findings = causeway.json("doctor")
    assert findings["problems"] == []
    assert findings["backends"] == {"llama_cpp": "works"}
    assert findings["engine"]["version"] == findings["versions"]["llama-cpp-python"]
    assert any(device.startswith("CPU: ") for device in findings["engine"]["devices"])
    assert findings["engine"]["rpc"]
    assert findings["models"] == ["polite"]
    assert findings["database"].startswith("version 3, 0 conversations")
    assert findings["memory_total"] > findings["memory_available"] > 0
    assert findings["paths"]["home"] == str(causeway.home)


def test_the_password_of_an_index_is_not_shown(tmp_path: Path) -> None:
    variables = {"PIP_INDEX_URL": "https://me:hunter2hunter2@mirror.example/simple"}
    shown = CommandLine(tmp_path / "home", variables).json("doctor")["package_index"]
    assert "mirror.example" in shown
    assert "hunter2" not in shown


def test_a_damaged_database_is_a_finding_and_is_left_alone(causeway: CommandLine) -> None:
    database = causeway.home / "conversations.sqlite3"
    causeway.home.mkdir()
    database.write_bytes(b"no database at all " * 500)
    before = database.read_bytes()
    findings = causeway.json("doctor", code=1)
    assert str(database) in findings["problems"][0]
    assert database.read_bytes() == before


def test_damaged_settings_are_a_finding(causeway: CommandLine) -> None:
    causeway.home.mkdir()
    (causeway.home / "settings.json").write_text("{not json")
    assert "settings" in causeway.json("doctor", code=1)["problems"][0]


def test_a_newer_database_is_refused_by_every_command(causeway: CommandLine) -> None:
    causeway.run("models")
    with sqlite3.connect(causeway.home / "conversations.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert "newer" in causeway.error("conversations", "list")
    assert "newer" in causeway.json("doctor", code=1)["problems"][0]


def test_a_home_that_cannot_be_looked_at_is_a_finding(tmp_path: Path) -> None:
    nowhere = CommandLine(tmp_path / ("long" * 100))
    assert str(nowhere.home) in nowhere.json("doctor", code=1)["problems"][0]
