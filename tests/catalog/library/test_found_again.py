"""Files that were moved or copied keep their ids, and what is known of their content."""

import json
import shutil
from pathlib import Path

import pytest

from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from tests.gguf_files import write_model

SHA = "0" * 64


def library_at(home: Path) -> Library:
    return Library(home / "models", home / "library.json", load_bundled())


def paths_by_id(library: Library) -> dict[str, Path]:
    return {model.id: model.path for model in library.models()}


def as_an_earlier_version_left_it(home: Path) -> None:
    """Absolute paths, and no samples of files that were never compared."""
    file = home / "library.json"
    held = json.loads(file.read_text())
    for table in held.values():
        for path in list(table):
            facts = table.pop(path)
            facts.pop("fingerprint", None)
            table[str(home / path.removeprefix("./"))] = facts
    file.write_text(json.dumps(held))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two models whose ids their names don't tell, and the checksum of one."""
    home = tmp_path / "home"
    for name, seed in (("first", 1), ("second", 2)):
        (home / "models" / name).mkdir(parents=True)
        write_model(home / "models" / name / "tiny.gguf", seed=seed)
    library = library_at(home)
    assert sorted(paths_by_id(library)) == ["tiny", "tiny-2"]
    library.note_download(home / "models" / "second" / "tiny.gguf", sha256=SHA)
    return home


def test_the_registry_names_no_place_outside_of_itself(home: Path, tmp_path: Path) -> None:
    library = library_at(home)
    library.add_file(write_model(tmp_path / "elsewhere.gguf", seed=3))
    library.add_file(write_model(home / "added.gguf", seed=4))
    held = json.loads((home / "library.json").read_text())
    assert sorted(held["files"]) == [
        "./added.gguf",
        "./models/first/tiny.gguf",
        "./models/second/tiny.gguf",
        str(tmp_path / "elsewhere.gguf"),
    ]
    assert list(held["contents"]) == ["./models/second/tiny.gguf"]


@pytest.mark.parametrize("how", ["moved", "copied", "copied without times"])
def test_a_home_elsewhere_has_the_same_models(home: Path, tmp_path: Path, how: str) -> None:
    new = tmp_path / "new"
    if how == "moved":
        home.rename(new)
    else:
        copy = shutil.copyfile if how == "copied without times" else shutil.copy2
        shutil.copytree(home, new, copy_function=copy)
    assert_same_models(new)


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_home_of_an_earlier_version_has_too(home: Path, tmp_path: Path, how: str) -> None:
    as_an_earlier_version_left_it(home)
    new = tmp_path / "new"
    if how == "moved":
        home.rename(new)
    else:
        shutil.copytree(home, new)
    assert_same_models(new)


def assert_same_models(home: Path) -> None:
    expected = {
        "tiny": home / "models" / "first" / "tiny.gguf",
        "tiny-2": home / "models" / "second" / "tiny.gguf",
    }
    library = library_at(home)
    assert paths_by_id(library) == expected
    assert library.find("tiny-2").sha256 == SHA
    assert paths_by_id(library_at(home)) == expected
    held = json.loads((home / "library.json").read_text())
    assert sorted(held["files"]) == ["./models/first/tiny.gguf", "./models/second/tiny.gguf"]


def test_a_file_moved_within_the_models_folder_keeps_its_id_and_checksum(home: Path) -> None:
    (home / "models" / "second").rename(home / "models" / "renamed")
    library = library_at(home)
    assert paths_by_id(library)["tiny-2"] == home / "models" / "renamed" / "tiny.gguf"
    assert library.find("tiny-2").sha256 == SHA
    (home / "models" / "renamed" / "tiny.gguf").rename(home / "models" / "b.gguf")
    assert paths_by_id(library)["tiny-2"] == home / "models" / "b.gguf"


def test_other_content_of_the_same_size_is_another_model(home: Path) -> None:
    (home / "models" / "second" / "tiny.gguf").unlink()
    write_model(home / "models" / "second" / "new.gguf", seed=7)
    library = library_at(home)
    assert sorted(paths_by_id(library)) == ["new", "tiny"]
    assert library.find("new").sha256 == ""


def test_an_added_file_that_moved_is_known_when_it_is_added_again(
    home: Path, tmp_path: Path
) -> None:
    library = library_at(home)
    path = write_model(tmp_path / "loose.gguf", seed=5)
    added = library.add_file(path)
    moved = path.rename(tmp_path / "renamed.gguf")
    assert library.add_file(moved).id == added.id
    assert library.problems == ()


def test_an_added_file_that_came_into_the_models_folder_keeps_its_id(
    home: Path, tmp_path: Path
) -> None:
    library = library_at(home)
    path = write_model(tmp_path / "loose.gguf", seed=5)
    added = library.add_file(path)
    path.rename(home / "models" / "renamed.gguf")
    found = library.find(added.id)
    assert (found.path, found.managed) == (home / "models" / "renamed.gguf", True)
    library.models()
    assert library.problems == ()


def test_a_file_written_again_with_other_weights_loses_its_checksum(home: Path) -> None:
    write_model(home / "models" / "second" / "tiny.gguf", seed=9)
    assert library_at(home).find("tiny-2").sha256 == ""
