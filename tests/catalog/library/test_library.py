"""What is on the computer: found, named, kept apart, added where it lies, and removed."""

import os
import threading
from pathlib import Path

import msgspec
import pytest

from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.entries import Catalogue
from catalog.errors import BadModelFile, UnknownModel
from catalog.library import InstalledModel, Library
from tests.catalog.index_server import artifact_for
from tests.catalog.library.places import write_vocabulary
from tests.gguf_files import corrupt, write_model

STARTER_ID = "smollm2-135m-instruct"
STARTER_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    return models


def open_library(tmp_path: Path, catalogue: Catalogue | None = None) -> Library:
    return Library(
        tmp_path / "models", tmp_path / "data" / "library.json", catalogue or load_bundled()
    )


def catalogue_of(*files: Path) -> Catalogue:
    """The bundled catalogue, whose one entry describes these very files."""
    bundled = load_bundled()
    artifacts = tuple(
        artifact_for(path.read_bytes(), f"pack/{path.name}", quant=quant)
        for path, quant in zip(files, ("Q4_1", "Q8_0"), strict=False)
    )
    entry = msgspec.structs.replace(bundled.entries[0], artifacts=artifacts)
    return msgspec.structs.replace(bundled, entries=(entry,))


def ids(library: Library) -> list[str]:
    return [model.id for model in library.models()]


def test_an_empty_library_has_no_models_and_no_problems(tmp_path: Path) -> None:
    library = open_library(tmp_path)
    assert library.models() == ()
    assert library.problems == ()


def test_a_file_in_the_folder_is_a_managed_model(tmp_path: Path, folder: Path) -> None:
    path = write_model(folder / "Tiny one (2).gguf", weights="Q8_0", name="Tiny One")
    assert open_library(tmp_path).models() == (
        InstalledModel(
            id="tiny-one-2",
            name="Tiny one (2)",
            path=path,
            size_bytes=path.stat().st_size,
            quant="Q8_0",
            architecture="llama",
            context_length=512,
            has_template=True,
            managed=True,
            entry=None,
            kind="chat",
            place="own",
            parameters=109_888,
        ),
    )


def test_a_file_without_a_name_or_template_goes_by_its_own(tmp_path: Path, folder: Path) -> None:
    write_model(folder / "base.gguf", name="", template=None)
    (model,) = open_library(tmp_path).models()
    assert (model.name, model.has_template) == ("base", False)


def test_models_are_listed_by_name(tmp_path: Path, folder: Path) -> None:
    for file, name in (("1.gguf", "zebra"), ("2.gguf", "Ant"), ("3.gguf", "bee")):
        write_model(folder / file, name=name)
    assert [model.name for model in open_library(tmp_path).models()] == ["Ant", "bee", "zebra"]


def test_a_known_file_takes_the_name_and_id_of_its_entry(tmp_path: Path, folder: Path) -> None:
    path = write_model(folder / STARTER_FILE)
    (model,) = open_library(tmp_path, catalogue_of(path)).models()
    assert model.id == STARTER_ID
    assert model.name == "SmolLM2 135M Instruct"
    assert model.entry is not None
    assert model.entry.sampling["temperature"] == 0.2


def test_the_name_alone_does_not_make_a_known_file(tmp_path: Path, folder: Path) -> None:
    write_model(folder / STARTER_FILE)
    (model,) = open_library(tmp_path).models()
    assert model.entry is None
    assert model.id == "smollm2-135m-instruct.q4-1"


def test_two_quants_of_an_entry_have_two_ids(tmp_path: Path, folder: Path) -> None:
    first = write_model(folder / STARTER_FILE)
    second = write_model(folder / "SmolLM2.Q8_0.gguf", weights="Q8_0")
    library = open_library(tmp_path, catalogue_of(first, second))
    assert sorted(ids(library)) == [STARTER_ID, f"{STARTER_ID}-q8_0"]
    assert library.find(STARTER_ID).path == first


def test_a_foreign_file_does_not_take_the_id_of_an_entry(tmp_path: Path, folder: Path) -> None:
    write_model(folder / f"{STARTER_ID}.gguf")
    assert ids(open_library(tmp_path)) == [f"{STARTER_ID}-2"]


def test_ids_are_unique_and_stay(tmp_path: Path, folder: Path) -> None:
    write_model(folder / "a b.gguf", name="1")
    write_model(folder / "a-b.gguf", name="2")
    assert ids(open_library(tmp_path)) == ["a-b", "a-b-2"]
    (folder / "a b.gguf").unlink()
    write_model(folder / "A_B.gguf", name="3")
    kept, new = ids(open_library(tmp_path))
    assert kept == "a-b-2"
    assert new != kept


def test_unusable_files_are_skipped_and_listed(tmp_path: Path, folder: Path) -> None:
    good = write_model(folder / "good.gguf")
    corrupt(good, folder / "cut.gguf", "truncated")
    write_vocabulary(folder / "vocabulary.gguf")
    (folder / "notes.txt").write_text("not a model, and no problem either")
    (folder / "half.gguf.whl.part").write_bytes(b"x")
    library = open_library(tmp_path)
    assert ids(library) == ["good"]
    problems = {problem.path.name: str(problem.error) for problem in library.problems}
    assert sorted(problems) == ["cut.gguf", "vocabulary.gguf"]
    assert "cut short" in problems["cut.gguf"]


def test_a_split_model_is_one_model(tmp_path: Path, folder: Path) -> None:
    write_model(folder / "big.gguf", split_tensors=8, name="Big")
    library = open_library(tmp_path)
    (model,) = library.models()
    assert model.id == "big"
    assert model.size_bytes == sum(path.stat().st_size for path in folder.iterdir())
    assert library.problems == ()
    library.remove("big")
    assert list(folder.iterdir()) == []


def test_a_split_model_that_loses_a_part_becomes_a_problem(tmp_path: Path, folder: Path) -> None:
    write_model(folder / "big.gguf", split_tensors=8)
    library = open_library(tmp_path)
    assert len(library.models()) == 1
    sorted(folder.iterdir())[1].unlink()
    assert library.models() == ()
    assert "missing" in str(library.problems[0].error)


def test_a_file_elsewhere_is_added_in_place_and_only_forgotten(tmp_path: Path) -> None:
    path = write_model(tmp_path / "elsewhere.gguf")
    added = open_library(tmp_path).add_file(path)
    assert not added.managed
    library = open_library(tmp_path)
    assert library.models() == (added,)
    library.remove(added.id)
    assert library.models() == ()
    assert path.exists()


def test_adding_twice_changes_nothing(tmp_path: Path) -> None:
    path = write_model(tmp_path / "elsewhere.gguf")
    library = open_library(tmp_path)
    assert library.add_file(path) == library.add_file(path)
    assert len(library.models()) == 1


def test_a_bad_file_is_not_added(tmp_path: Path) -> None:
    path = corrupt(write_model(tmp_path / "good.gguf"), tmp_path / "bad.gguf", "magic")
    library = open_library(tmp_path)
    with pytest.raises(BadModelFile, match="is not a GGUF file"):
        library.add_file(path)
    assert library.models() == ()


def test_an_added_file_that_is_gone_can_come_back_or_be_forgotten(tmp_path: Path) -> None:
    path = write_model(tmp_path / "drive.gguf")
    library = open_library(tmp_path)
    library.add_file(path)
    away = path.rename(tmp_path / "unplugged")
    assert library.models() == ()
    assert "There is no file" in str(library.problems[0].error)
    away.rename(path)
    assert ids(library) == ["drive"]
    path.unlink()
    library.remove(str(path))
    assert library.models() == ()
    assert library.problems == ()


def test_removing_a_managed_model_takes_its_file_away(tmp_path: Path, folder: Path) -> None:
    path = write_model(folder / "tiny.gguf")
    library = open_library(tmp_path)
    library.remove("tiny")
    assert not path.exists()
    assert library.models() == ()
    with pytest.raises(UnknownModel):
        library.remove("tiny")


def test_a_file_that_changes_is_read_again(tmp_path: Path, folder: Path) -> None:
    path = write_model(folder / "model.gguf", name="Before")
    library = open_library(tmp_path)
    before = library.models()[0]
    write_model(path, name="After", weights="Q8_0")
    after = library.models()[0]
    assert (after.id, after.name, after.quant) == (before.id, "After", "Q8_0")


def test_headers_are_read_once(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(folder / "tiny.gguf")
    first = open_library(tmp_path).models()
    monkeypatch.setattr(
        "catalog.library.facts.check_gguf_file", lambda path: pytest.fail("read again")
    )
    assert open_library(tmp_path).models() == first


class TestFind:
    @pytest.fixture
    def library(self, tmp_path: Path, folder: Path) -> Library:
        write_model(folder / "qwen-small.gguf", name="Qwen Small")
        write_model(folder / "qwen-large.gguf", name="Qwen Large")
        write_model(folder / "llama.gguf", name="A training run")
        repository = folder / "lab" / "meta-thing-GGUF"
        repository.mkdir(parents=True)
        write_model(repository / "ggml-model-q4_0.gguf")
        return open_library(tmp_path)

    @pytest.mark.parametrize(
        ("ref", "model_id"),
        [
            ("llama", "llama"),
            (" llama ", "llama"),
            ("llama.gguf", "llama"),
            ("qwen-s", "qwen-small"),
            ("QWEN-S", "qwen-small"),
            ("qwen l", "qwen-large"),
            ("meta", "ggml-model-q4-0"),
        ],
    )
    def test_by_id_file_name_or_a_unique_beginning(
        self, library: Library, ref: str, model_id: str
    ) -> None:
        assert library.find(ref).id == model_id

    def test_by_a_path_that_was_never_added(self, library: Library, tmp_path: Path) -> None:
        path = write_model(tmp_path / "new.gguf", name="New")
        found = library.find(str(path))
        assert (found.id, found.name, found.path, found.managed) == ("new", "New", path, False)
        assert "new" not in ids(library)

    def test_by_the_path_of_an_installed_one(self, library: Library, folder: Path) -> None:
        assert library.find(str(folder / ".." / "models" / "llama.gguf")).id == "llama"

    def test_by_a_relative_path(
        self, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_model(tmp_path / "here.gguf")
        os.link(tmp_path / "here.gguf", tmp_path / "no-suffix")
        monkeypatch.chdir(tmp_path)
        assert library.find("here.gguf").path == tmp_path / "here.gguf"
        assert library.find("no-suffix").path == tmp_path / "no-suffix"

    def test_what_fits_several_names_them(self, library: Library) -> None:
        with pytest.raises(UnknownModel, match="Choose one of qwen-large, qwen-small"):
            library.find("qwen")

    @pytest.mark.parametrize("ref", ["nothing", "", "x" * 5000, "nul\x00"])
    def test_what_is_unknown_names_what_there_is(self, library: Library, ref: str) -> None:
        with pytest.raises(UnknownModel, match="On this computer: llama"):
            library.find(ref)

    def test_what_is_in_the_catalogue_only_says_so(self, library: Library) -> None:
        with pytest.raises(UnknownModel, match="not on this computer yet"):
            library.find(STARTER_ID)

    def test_a_file_that_is_no_model_is_said(self, library: Library, tmp_path: Path) -> None:
        (tmp_path / "hostname").write_text("here\n")
        with pytest.raises(BadModelFile, match="“hostname” is not a GGUF file"):
            library.find(str(tmp_path / "hostname"))


def test_a_damaged_registry_is_set_aside(tmp_path: Path, folder: Path) -> None:
    write_model(folder / "tiny.gguf")
    registry = tmp_path / "data" / "library.json"
    registry.parent.mkdir()
    registry.write_text('{"files": {"x": 1')
    assert ids(open_library(tmp_path)) == ["tiny"]
    (aside,) = registry.parent.glob("library.damaged-*.json")
    assert aside.read_text() == '{"files": {"x": 1'
    assert ids(open_library(tmp_path)) == ["tiny"]


def test_the_registry_of_an_earlier_version_keeps_ids_and_added_files(
    tmp_path: Path, folder: Path
) -> None:
    ours, added = write_model(folder / "ours.gguf", seed=1), write_model(tmp_path / "added.gguf")
    files = {
        str(path): {
            "id": model_id,
            "size_bytes": path.stat().st_size,
            "stamp": f"{path.stat().st_size}:{path.stat().st_mtime_ns}",
            "name": "As it was",
            "quant": "F32",
            "architecture": "llama",
            "context_length": 512,
            "has_template": True,
            "n_parts": 1,
            "added": path == added,
        }
        for path, model_id in ((ours, "kept-1"), (added, "kept-2"))
    }
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "library.json").write_bytes(msgspec.json.encode({"files": files}))
    models = sorted(open_library(tmp_path).models(), key=lambda model: model.id)
    assert [(model.id, model.path) for model in models] == [("kept-1", ours), ("kept-2", added)]
    assert [model.place for model in models] == ["own", "added"]
    assert all(model.parameters for model in models)


def test_two_libraries_share_one_registry(tmp_path: Path) -> None:
    paths = [write_model(tmp_path / f"model-{i}.gguf", n_layers=1, seed=i) for i in range(8)]
    libraries = [open_library(tmp_path), open_library(tmp_path)]
    threads = [
        threading.Thread(target=library.add_file, args=(path,))
        for library, path in zip(libraries * 4, paths, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(libraries[0].models()) == len(libraries[1].models()) == 8
    libraries[0].remove("model-3")
    assert "model-3" not in ids(libraries[1])
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "library.json",
        "library.last-good.json",
    ]


def test_a_registry_that_can_not_be_written_does_not_hide_the_models(
    tmp_path: Path, folder: Path
) -> None:
    write_model(folder / "tiny.gguf")
    (tmp_path / "data").write_text("a file in the way")
    library = Library(folder, tmp_path / "data" / "library.json", load_bundled())
    assert ids(library) == ["tiny"]


def test_a_models_folder_that_cannot_be_read_is_a_problem_in_words(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in its place")
    library = open_library(tmp_path)
    assert library.models() == ()
    (problem,) = library.problems
    assert str(tmp_path / "models") in problem.error.what
