"""Only what is ours goes, whole, into the trash."""

import os
import shutil
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.library import Library, Place, TrashUnavailable
from catalog.library.removal import take_away
from tests.catalog.library.conftest import OpenLibrary
from tests.gguf_files import write_model, write_projector


@pytest.fixture
def trash() -> Path:
    """Where deleted files of the tests are. Asked of what puts them there, which fixes it early."""
    plat = pytest.importorskip("send2trash.plat_other", reason="for other systems only")
    return Path(plat.HOMETRASH) / "files"


@pytest.fixture
def no_trash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError("no trash here")

    monkeypatch.setattr("send2trash.send2trash", refuse)


@pytest.fixture
def home(folder: Path) -> Path:
    home = folder / "someone" / "Tiny-GGUF"
    home.mkdir(parents=True)
    return home


def test_a_file_goes_into_the_trash_and_its_size_is_told(
    home: Path, open_library: OpenLibrary, trash: Path
) -> None:
    path = write_model(home / "removed-into-trash.gguf")
    content, size = path.read_bytes(), path.stat().st_size
    library = open_library()
    assert library.remove(library.models()[0].id) == size
    assert not path.exists()
    assert (trash / path.name).read_bytes() == content
    assert library.models() == ()


def test_folders_that_this_empties_go_too_but_not_the_models_folder(
    folder: Path, home: Path, open_library: OpenLibrary
) -> None:
    write_model(home / "a.gguf", seed=1)
    write_model(home / "b.gguf", seed=2)
    library = open_library()
    library.remove("a", for_good=True)
    assert home.exists()
    library.remove("b", for_good=True)
    assert list(folder.iterdir()) == []


def test_all_parts_go(home: Path, open_library: OpenLibrary) -> None:
    write_model(home / "big.gguf", split_tensors=8)
    size = sum(path.stat().st_size for path in home.iterdir())
    library = open_library()
    assert library.remove("big", for_good=True) == size
    assert not home.exists()


def test_a_projector_stays_for_as_long_as_a_model_needs_it(
    home: Path, open_library: OpenLibrary
) -> None:
    write_model(home / "a.gguf", seed=1)
    write_model(home / "b.gguf", seed=2)
    eyes = write_projector(home / "mmproj.gguf")
    library = open_library()
    library.remove("a", for_good=True)
    assert eyes.exists()
    library.remove("b", for_good=True)
    assert not eyes.exists()


def test_where_there_is_no_trash_it_says_so_and_can_delete_for_good(
    folder: Path, open_library: OpenLibrary, no_trash: None
) -> None:
    path = write_model(folder / "m.gguf")
    library = open_library()
    with pytest.raises(TrashUnavailable, match="Delete it for good instead"):
        library.remove("m")
    assert path.exists()
    assert library.remove("m", for_good=True) > 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("lm_studio", "belongs to LM Studio. Causeway uses it where it lies. Remove it there."),
        ("hub_cache", "belongs to the Hugging Face cache"),
        ("folder", "Delete the file there, or take the folder out of the settings."),
    ],
)
def test_what_others_keep_is_refused_in_words(
    tmp_path: Path, open_library: OpenLibrary, kind: str, told: str
) -> None:
    theirs = tmp_path / "theirs"
    below = theirs / "models--a--b" / "snapshots" / "c" if kind == "hub_cache" else theirs
    below.mkdir(parents=True)
    path = write_model(below / "m.gguf")
    library = open_library(Place(kind, theirs, "Theirs"))  # type: ignore[arg-type]
    with pytest.raises(CatalogError) as refused:
        library.remove("m", for_good=True)
    assert told in str(refused.value)
    assert path.exists()


def test_what_was_added_is_forgotten_and_frees_nothing(
    tmp_path: Path, open_library: OpenLibrary
) -> None:
    path = write_model(tmp_path / "elsewhere.gguf")
    library = open_library()
    assert library.remove(library.add_file(path).id) == 0
    assert path.exists()
    assert library.models() == ()


def test_nothing_is_forgotten_for_no_name(home: Path, open_library: OpenLibrary) -> None:
    write_model(home / "m.gguf")
    eyes = write_projector(home / "mmproj-F16.gguf")
    library = open_library()
    library.models()
    library.note_download(eyes, "", "a" * 64)
    with pytest.raises(CatalogError):
        library.remove("")
    kept = home.parents[2] / "data" / "library.json"
    assert "a" * 64 in kept.read_text(encoding="utf-8")


def test_our_copy_goes_and_theirs_is_shown(
    tmp_path: Path, folder: Path, open_library: OpenLibrary
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    copy = Path(shutil.copy(write_model(folder / "ours.gguf"), theirs / "theirs.gguf"))
    library = open_library(Place("gpt4all", theirs, "GPT4All"))
    library.remove("ours", for_good=True)
    (model,) = library.models()
    assert (model.path, model.place) == (copy, "gpt4all")


def test_a_link_among_our_files_is_removed_and_not_what_it_leads_to(
    tmp_path: Path, folder: Path, open_library: OpenLibrary
) -> None:
    real = write_model(tmp_path / "real.gguf")
    (folder / "link.gguf").symlink_to(real)
    library = open_library()
    library.remove("link")
    assert real.exists()
    assert not os.path.lexists(folder / "link.gguf")


def test_a_link_never_leads_out_of_the_models_folder(tmp_path: Path, folder: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = write_model(outside / "m.gguf")
    (folder / "in").symlink_to(outside)
    with pytest.raises(CatalogError, match="does not lie in the models folder"):
        take_away([folder / "in" / "m.gguf"], folder, for_good=True)
    assert path.exists()


def test_a_file_that_is_gone_already_is_no_failure(folder: Path, open_library: OpenLibrary) -> None:
    library: Library = open_library()
    write_model(folder / "m.gguf")
    library.models()
    assert take_away([folder / "gone.gguf"], folder, for_good=False) == 0
