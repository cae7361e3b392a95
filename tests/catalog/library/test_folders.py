"""Folders of any shape: nested, linked in circles, huge, unreadable, with names that are no text."""

import os
from pathlib import Path

import pytest

from catalog.library import Library, LibraryProblem, Place
from catalog.library import found as finding
from catalog.library.found import gguf_files
from tests.catalog.library.conftest import OpenLibrary
from tests.catalog.library.places import (
    write_embedding_model,
    write_picture_model,
    write_pooling_model,
)
from tests.gguf_files import write_adapter, write_model, write_projector


def names(library: Library) -> list[str]:
    return [model.path.name for model in library.models()]


def test_models_lie_by_owner_and_name(folder: Path, open_library: OpenLibrary) -> None:
    (folder / "someone" / "Tiny-GGUF").mkdir(parents=True)
    path = write_model(folder / "someone" / "Tiny-GGUF" / "tiny.gguf")
    (model,) = open_library().models()
    assert (model.path, model.managed, model.place) == (path, True, "own")


def test_folders_that_lie_too_deep_or_are_hidden_are_left_out(
    folder: Path, open_library: OpenLibrary
) -> None:
    for where in (".hidden", "a/b/c/d/e"):
        (folder / where).mkdir(parents=True)
        write_model(folder / where / "m.gguf")
    assert open_library().models() == ()


def test_links_in_a_circle_end(folder: Path, open_library: OpenLibrary) -> None:
    write_model(folder / "m.gguf")
    (folder / "again").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    assert names(open_library()) == ["m.gguf"]


def test_what_a_link_leads_to_is_used_but_not_ours(
    tmp_path: Path, folder: Path, open_library: OpenLibrary
) -> None:
    (tmp_path / "theirs").mkdir()
    path = write_model(tmp_path / "theirs" / "m.gguf")
    (folder / "linked").symlink_to(tmp_path / "theirs")
    library = open_library()
    (model,) = library.models()
    assert (model.managed, model.place) == (False, "folder")
    with pytest.raises(Exception, match="only looked into"):
        library.remove(model.id)
    assert path.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_may_not_be_read_is_told_and_the_rest_is_listed(
    folder: Path, open_library: OpenLibrary
) -> None:
    write_model(folder / "m.gguf")
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0)
    library = open_library()
    assert names(library) == ["m.gguf"]
    assert [problem.path for problem in library.problems] == [closed]
    closed.chmod(0o700)


def test_a_name_that_is_no_text_is_told_and_the_rest_is_listed(
    folder: Path, open_library: OpenLibrary
) -> None:
    write_model(folder / "m.gguf")
    odd = os.fsencode(folder) + b"/\xff\xfe"
    try:
        os.mkdir(odd)  # noqa: PTH102
    except OSError:
        pytest.skip("this file system takes text only")
    write_model(folder / "x.gguf").rename(Path(os.fsdecode(odd)) / "x.gguf")
    library = open_library()
    assert names(library) == ["m.gguf"]
    assert "not valid UTF-8" in str(library.problems[0].error)
    assert names(open_library()) == ["m.gguf"]


def test_a_huge_tree_is_looked_through_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_MAX_ENTRIES", 20)
    for number in range(8):
        (tmp_path / str(number)).mkdir()
        for other in range(4):
            (tmp_path / str(number) / f"{other}.gguf").touch()
    problems: list[LibraryProblem] = []
    assert 0 < len(list(gguf_files(tmp_path, problems))) < 32
    assert "Not all of the folder" in problems[0].error.what


def test_a_place_that_comes_and_goes_leaves_the_others(
    tmp_path: Path, folder: Path, open_library: OpenLibrary
) -> None:
    write_model(folder / "ours.gguf", seed=1)
    drive = tmp_path / "drive"
    drive.mkdir()
    write_model(drive / "theirs.gguf", seed=2, name="Zebra")
    library = open_library(Place("folder", drive, "Drive"))
    before = library.models()
    assert [model.path.name for model in before] == ["ours.gguf", "theirs.gguf"]
    drive.rename(tmp_path / "unplugged")
    assert names(library) == ["ours.gguf"]
    (tmp_path / "unplugged").rename(drive)
    assert library.models() == before


def test_a_folder_may_be_named_from_where_the_program_runs(
    tmp_path: Path, open_library: OpenLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir()
    path = write_model(tmp_path / "theirs" / "m.gguf")
    monkeypatch.chdir(tmp_path)
    (model,) = open_library(Place("folder", Path("theirs"), "Theirs")).models()
    assert model.path == path


class TestKinds:
    def test_models_for_search_and_without_a_template_are_what_they_are(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        write_embedding_model(folder / "search.gguf")
        write_pooling_model(folder / "pooling.gguf")
        write_model(folder / "base.gguf", template=None)
        write_model(folder / "chat.gguf")
        kinds = {model.path.stem: model.kind for model in open_library().models()}
        assert kinds == {
            "search": "embedding",
            "pooling": "embedding",
            "base": "completion",
            "chat": "chat",
        }

    def test_only_what_writes_can_answer(self, folder: Path, open_library: OpenLibrary) -> None:
        write_embedding_model(folder / "search.gguf")
        write_model(folder / "base.gguf", template=None)
        assert [model.writes for model in open_library().models()] == [True, False]

    def test_adapters_are_listed_apart_and_found_by_their_whole_name(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        path = write_adapter(folder / "style.gguf")
        library = open_library()
        (adapter,) = library.adapters()
        assert (adapter.kind, adapter.path) == ("adapter", path)
        assert library.models() == ()
        assert library.find("style") == adapter
        with pytest.raises(Exception, match="no model called “sty”"):
            library.find("sty")

    def test_an_adapter_can_be_added_but_a_projector_can_not(
        self, tmp_path: Path, open_library: OpenLibrary
    ) -> None:
        library = open_library()
        assert library.add_file(write_adapter(tmp_path / "style.gguf")).kind == "adapter"
        with pytest.raises(Exception, match="is a projector"):
            library.add_file(write_projector(tmp_path / "eyes.gguf"))

    def test_a_projector_alone_is_neither_model_nor_problem(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        write_projector(folder / "mmproj.gguf")
        library = open_library()
        assert (library.models(), library.adapters(), library.problems) == ((), (), ())


def test_a_model_for_pictures_is_no_language_model(folder: Path, open_library: OpenLibrary) -> None:
    write_picture_model(folder / "flux.gguf")
    library = open_library()
    assert library.models() == ()
    assert "as models for pictures do" in str(library.problems[0].error)


def test_a_problem_that_stays_is_the_same_problem(folder: Path, open_library: OpenLibrary) -> None:
    (folder / "bad.gguf").write_bytes(b"bad")
    library = open_library()
    library.models()
    before = library.problems
    library.models()
    assert library.problems == before != ()


def test_what_gpt4all_is_still_fetching_is_passed_over(
    tmp_path: Path, open_library: OpenLibrary
) -> None:
    theirs = tmp_path / "GPT4All"
    theirs.mkdir()
    write_model(theirs / "good.gguf")
    (theirs / "incomplete-other.gguf").write_bytes(b"GGUF")
    library = open_library(Place("gpt4all", theirs, "GPT4All"))
    assert names(library) == ["good.gguf"]
    assert library.problems == ()


def test_a_first_look_can_leave_files_for_the_next(folder: Path, open_library: OpenLibrary) -> None:
    for number in range(5):
        write_model(folder / f"m{number}.gguf", seed=number)
    library = open_library()
    assert len(library.everything(most_new=2)) == 2
    assert len(library.everything(most_new=2)) == 4, "what is known is listed, and read no more"
    assert len(library.everything()) == 5
    assert len(open_library().everything(most_new=0)) == 5
