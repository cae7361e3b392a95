"""Checksums on demand, verification, and all that can be told of a model."""

import hashlib
import threading
from pathlib import Path

import pytest

from catalog.errors import BadModelFile, CatalogError, DownloadCancelled
from catalog.library import Library, Place
from tests.catalog.library.conftest import OpenLibrary
from tests.catalog.library.places import write_tagged_model
from tests.catalog.library.test_library import catalogue_of
from tests.gguf_files import CHATML, write_adapter, write_model, write_projector


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


class TestDigest:
    def test_it_is_computed_with_progress_and_kept(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        path = write_model(folder / "m.gguf")
        library = open_library()
        (model,) = library.models()
        assert model.sha256 == ""
        told: list[tuple[int, int]] = []
        assert library.digest(model, lambda *at: told.append(at)) == sha256(path)
        assert told[-1] == (path.stat().st_size, path.stat().st_size)
        assert open_library().models()[0].sha256 == sha256(path)

    def test_it_is_forgotten_when_the_file_changes(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        path = write_model(folder / "m.gguf")
        library = open_library()
        library.digest(library.models()[0])
        write_model(path, n_layers=1)
        assert library.models()[0].sha256 == ""

    def test_it_covers_all_parts_and_gives_that_of_the_first(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        first = write_model(folder / "m.gguf", split_tensors=8)
        library = open_library()
        (model,) = library.models()
        told: list[tuple[int, int]] = []
        assert library.digest(model, lambda *at: told.append(at)) == sha256(first)
        assert told[-1] == (model.size_bytes, model.size_bytes)

    def test_it_can_be_cancelled(self, folder: Path, open_library: OpenLibrary) -> None:
        write_model(folder / "m.gguf")
        library = open_library()
        cancelled = threading.Event()
        cancelled.set()
        with pytest.raises(DownloadCancelled):
            library.digest(library.models()[0], cancelled=cancelled)
        assert library.models()[0].sha256 == ""

    def test_a_file_that_is_gone_is_said(self, folder: Path, open_library: OpenLibrary) -> None:
        path = write_model(folder / "m.gguf")
        library = open_library()
        (model,) = library.models()
        path.unlink()
        with pytest.raises(CatalogError, match=r"“m\.gguf” can't be read"):
            library.digest(model)


class TestVerify:
    @pytest.fixture
    def path(self, folder: Path) -> Path:
        return write_model(folder / "SmolLM2-135M-Instruct.Q4_1.gguf")

    def test_against_the_catalogue(self, path: Path, open_library: OpenLibrary) -> None:
        library = open_library(catalogue=catalogue_of(path))
        outcome = library.verify(library.models()[0])
        assert (outcome.sound, outcome.against) == (True, "catalogue")
        assert "the checksum that the catalogue publishes" in outcome.message
        flip_last_byte(path)
        outcome = library.verify(library.models()[0])
        assert (outcome.sound, outcome.against) == (False, "catalogue")
        assert outcome.sha256 != outcome.expected
        assert "Get it again" in outcome.message

    def test_against_what_was_recorded_on_first_download(
        self, path: Path, open_library: OpenLibrary
    ) -> None:
        library = open_library()
        library.note_download(path, sha256=sha256(path))
        outcome = library.verify(library.models()[0])
        assert (outcome.sound, outcome.against) == (True, "download")
        assert "recorded on first download" in outcome.message
        flip_last_byte(path)
        for _ in range(2):  # a digest of what is wrong does not make it right
            outcome = library.verify(library.models()[0])
            assert (outcome.sound, outcome.against) == (False, "download")
            library.digest(library.models()[0])

    def test_against_nothing_but_the_structure_and_the_second_time_against_the_first(
        self, path: Path, open_library: OpenLibrary
    ) -> None:
        library = open_library()
        first, second = (library.verify(library.models()[0]) for _ in range(2))
        assert (first.sound, first.against) == (True, "structure")
        assert "Nobody has published a checksum" in first.message
        assert (second.sound, second.against) == (True, "earlier")

    def test_a_file_that_is_cut_short_is_not_sound(
        self, path: Path, open_library: OpenLibrary
    ) -> None:
        library = open_library()
        (model,) = library.models()
        path.write_bytes(path.read_bytes()[:-100])
        outcome = library.verify(model)
        assert not outcome.sound
        assert "cut short" in outcome.message

    def test_a_wrong_later_part_is_named(self, folder: Path, open_library: OpenLibrary) -> None:
        write_model(folder / "m.gguf", split_tensors=8)
        library = open_library()
        (model,) = library.models()
        library.digest(model)
        later = sorted(folder.iterdir())[1]
        flip_last_byte(later)
        outcome = library.verify(library.find(str(model.path)))
        assert not outcome.sound
        assert later.name in outcome.message


class TestDetails:
    def test_they_tell_what_the_header_says(self, folder: Path, open_library: OpenLibrary) -> None:
        path = write_model(folder / "m.gguf", weights="Q8_0", name="Tiny One")
        library = open_library()
        details = library.details(library.models()[0])
        assert (details.name, details.architecture, details.quant) == ("Tiny One", "llama", "Q8_0")
        assert (details.n_layers, details.n_embd, details.n_head, details.n_head_kv) == (
            2,
            64,
            4,
            2,
        )
        assert (details.template, details.template_from) == (CHATML, "file")
        assert (details.paths, details.size_bytes) == ((path,), path.stat().st_size)
        assert details.bits == pytest.approx(8 * details.size_bytes / details.parameters, abs=0.01)
        assert (details.place, details.sha256_from) == ("Causeway", "")

    def test_they_count_all_parts(self, folder: Path, open_library: OpenLibrary) -> None:
        write_model(folder / "m.gguf", split_tensors=8)
        whole = write_model(folder / "whole.gguf")
        library = open_library()
        details = library.details(library.find("m"))
        assert details.parameters == library.find("whole").parameters
        assert details.n_tensors == library.details(library.find(str(whole))).n_tensors
        assert len(details.paths) > 1

    def test_they_tell_licence_and_base(self, folder: Path, open_library: OpenLibrary) -> None:
        write_tagged_model(
            folder / "m.gguf",
            {
                "general.license": "apache-2.0",
                "general.license.link": "https://example.org/licence",
                "general.organization": "Some One",
                "general.base_model.0.name": "Tiny",
                "general.base_model.0.repo_url": "https://huggingface.co/someone/Tiny",
            },
        )
        library = open_library()
        (model,) = library.models()
        details = library.details(model)
        assert (details.licence.id, details.licence.url) == (
            "apache-2.0",
            "https://example.org/licence",
        )
        assert (details.author, details.base, model.base) == (
            "Some One",
            "someone/Tiny",
            "someone/Tiny",
        )

    def test_a_link_that_is_no_web_address_is_left_out(
        self, folder: Path, open_library: OpenLibrary
    ) -> None:
        write_tagged_model(folder / "m.gguf", {"general.license.link": "file:///etc/passwd"})
        library = open_library()
        assert library.details(library.models()[0]).licence.url == ""

    def test_they_tell_projector_and_place(self, tmp_path: Path, open_library: OpenLibrary) -> None:
        home = tmp_path / "drive" / "someone" / "Tiny"
        home.mkdir(parents=True)
        write_model(home / "m.gguf")
        eyes = write_projector(home / "mmproj.gguf")
        library = open_library(Place("folder", tmp_path / "drive", "My drive"))
        details = library.details(library.models()[0])
        assert (details.projector, details.projector_bytes) == (eyes, eyes.stat().st_size)
        assert details.place == "My drive"

    def test_an_adapter_has_details_too(self, folder: Path, open_library: OpenLibrary) -> None:
        write_adapter(folder / "a.gguf")
        library = open_library()
        details = library.details(library.adapters()[0])
        assert details.n_tensors == 4
        assert details.adapter is not None
        assert (details.adapter.rank, details.adapter.alpha) == (4, 8.0)

    def test_a_file_that_is_gone_is_said(self, folder: Path, open_library: OpenLibrary) -> None:
        path = write_model(folder / "m.gguf")
        library: Library = open_library()
        (model,) = library.models()
        path.unlink()
        with pytest.raises(BadModelFile, match="There is no file"):
            library.details(model)
