"""The same content is shown once, however often it lies there; what differs is shown apart."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.library import Place
from catalog.library.facts import fingerprint
from catalog.library.same_content import ComparedFile, same_content
from tests.catalog.library.conftest import OpenLibrary
from tests.catalog.library.places import add_to_ollama
from tests.gguf_files import write_model, write_projector


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "lm-studio"
    folder.mkdir()
    return folder


@pytest.fixture
def place(theirs: Path) -> Place:
    return Place("lm_studio", theirs, "LM Studio")


def test_a_copy_elsewhere_is_shown_as_ours(
    folder: Path, theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    ours = write_model(folder / "ours.gguf")
    copy = Path(shutil.copy(ours, theirs / "theirs.gguf"))
    (model,) = open_library(place).models()
    assert (model.path, model.also_at, model.managed) == (ours, (copy,), True)


def test_the_projector_beside_a_copy_serves_the_model_and_stays_with_the_copy(
    folder: Path, theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    ours = write_model(folder / "ours.gguf")
    home = theirs / "someone" / "See-GGUF"
    home.mkdir(parents=True)
    shutil.copy(ours, home / "see.gguf")
    eyes = write_projector(home / "mmproj-F16.gguf")
    library = open_library(place)
    (model,) = library.models()
    assert (model.path, model.projector) == (ours, eyes)
    assert library.remove(model.id, for_good=True) == model.size_bytes
    assert eyes.exists()


def test_a_copy_that_is_recognised_names_the_model(
    folder: Path, theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    ours = write_model(folder / "ours.gguf")
    copy = Path(shutil.copy(ours, theirs / "theirs.gguf"))
    library = open_library(place)
    library.note_download(copy, "llama-7b")
    (model,) = library.models()
    assert model.path == ours
    assert model.entry is not None
    assert model.entry.id == "llama-7b"


def test_a_model_that_becomes_ours_keeps_answering_to_its_former_id(
    folder: Path, theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    copy = write_model(theirs / "theirs.gguf")
    library = open_library(place)
    former = library.models()[0].id
    shutil.copy(copy, folder / "ours.gguf")
    assert library.find(former).path == folder / "ours.gguf"


def test_two_trainings_of_one_size_are_two_models(
    folder: Path, theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    one = write_model(folder / "m.gguf", seed=1)
    other = write_model(theirs / "m.gguf", seed=2)
    assert one.stat().st_size == other.stat().st_size
    models = open_library(place).models()
    assert sorted(model.path for model in models) == sorted([one, other])
    assert all(model.also_at == () for model in models)


def test_two_names_of_one_file_are_one_model(
    folder: Path, theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    ours = write_model(folder / "a.gguf")
    os.link(ours, theirs / "hard.gguf")
    (theirs / "soft.gguf").symlink_to(ours)
    (model,) = open_library(place).models()
    assert model.path == ours
    assert set(model.also_at) == {theirs / "hard.gguf", theirs / "soft.gguf"}


def test_a_blob_of_ollama_and_the_file_it_came_from_are_one_model(
    tmp_path: Path, folder: Path, open_library: OpenLibrary
) -> None:
    ours = write_model(folder / "tiny.gguf")
    add_to_ollama(tmp_path / "ollama", "registry.ollama.ai/library/tiny/1b", [("model", ours)])
    library = open_library(Place("ollama", tmp_path / "ollama", "Ollama"))
    (model,) = library.models()
    assert model.path == ours
    assert library.find("tiny:1b") == model


def test_adding_a_copy_gives_the_model_that_is_shown_for_it(
    tmp_path: Path, folder: Path, open_library: OpenLibrary
) -> None:
    ours = write_model(folder / "ours.gguf")
    copy = Path(shutil.copy(ours, tmp_path / "copy.gguf"))
    added = open_library().add_file(copy)
    assert (added.path, added.also_at) == (ours, (copy,))


def test_adding_what_a_place_lists_already_leaves_it_there(
    theirs: Path, place: Place, open_library: OpenLibrary
) -> None:
    path = write_model(theirs / "m.gguf")
    assert open_library(place).add_file(path).place == "lm_studio"


def test_known_checksums_decide_over_samples() -> None:
    files = [
        ComparedFile("a", 10, (1, 1), "x"),
        ComparedFile("b", 10, (1, 2), "y"),
        ComparedFile("c", 10, (1, 3), "x"),
        ComparedFile("d", 10, (1, 4), ""),
    ]
    assert same_content(files, lambda path: "alike") == [("a", "c", "d"), ("b",)]


def test_no_sample_is_taken_of_a_file_that_is_alone_in_its_size() -> None:
    files = [ComparedFile("a", 10, (1, 1), ""), ComparedFile("b", 11, (1, 2), "")]
    assert same_content(files, lambda path: pytest.fail("read for nothing")) == [("a",), ("b",)]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(0, 3),
            st.sampled_from(["", "x", "y"]),
            st.text("pq", max_size=1),
        ),
        max_size=8,
    )
)
def test_every_file_is_in_one_group_and_no_group_contradicts_itself(
    facts: list[tuple[int, int, str, str]],
) -> None:
    files = [
        ComparedFile(str(number), size, (1, inode and 10 * size + inode), sha256)
        for number, (size, inode, sha256, _) in enumerate(facts)
    ]
    groups = same_content(files, lambda path: facts[int(path)][3])
    assert sorted(path for group in groups for path in group) == sorted(f.path for f in files)
    for group in groups:
        assert len({files[int(path)].size_bytes for path in group}) == 1
        assert list(group) == sorted(group, key=int)


@pytest.mark.parametrize("at", [0, 1 << 16, -1])
def test_a_sample_sees_changes_at_the_start_at_the_seam_and_at_the_end(
    tmp_path: Path, at: int
) -> None:
    content = bytearray(range(256)) * 2_000
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    before = fingerprint((path,))
    content[at] ^= 1
    path.write_bytes(content)
    assert fingerprint((path,)) != before
