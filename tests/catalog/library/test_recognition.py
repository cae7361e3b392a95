"""A file is recognised as an entry of the catalogue by what is known of it, and by no less."""

from pathlib import Path

import msgspec
import pytest

from catalog.catalogues.entries import Artifact, Entry, HubFile, Licence, Url
from catalog.library import Library
from catalog.library.recognition import Recognition
from tests.gguf_files import write_model

SHA256 = "a" * 64


def entry(entry_id: str, *artifacts: Artifact, kind: str = "chat") -> Entry:
    return Entry(
        id=entry_id,
        name=entry_id.title(),
        family="Tiny",
        kind=kind,  # type: ignore[arg-type]
        licence=Licence("MIT"),
        summary="",
        artifacts=artifacts,
    )


def artifact(name: str, **known: object) -> Artifact:
    return Artifact(
        role="weights",
        quant="Q8_0",
        sources=(HubFile("someone/Tiny-GGUF", name),),
        **known,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("known", "size", "is_it"),
    [
        ({"size_bytes": 1000}, 1000, True),
        ({"size_bytes": 1000}, 1001, False),
        ({"about_bytes": 4_700_000_000}, 4_683_074_048, True),
        ({"about_bytes": 4_700_000_000}, 4_100_000_000, False),
        ({}, 1000, False),
    ],
)
def test_a_name_is_enough_with_a_size_as_exact_as_was_published(
    known: dict[str, int], size: int, is_it: bool
) -> None:
    recognition = Recognition([entry("tiny", artifact("tiny.gguf", **known))])
    assert (recognition.of("tiny.gguf", size) is not None) is is_it
    assert recognition.of("other.gguf", size) is None


def test_the_folder_of_the_repository_makes_up_for_a_size_that_nobody_published() -> None:
    recognition = Recognition([entry("tiny", artifact("tiny.gguf"))])
    assert recognition.of("tiny.gguf", 5, repo="someone/Tiny-GGUF") is not None
    assert recognition.of("tiny.gguf", 5, repo="someone/Else") is None


def test_a_checksum_needs_no_name_and_another_one_is_another_file() -> None:
    recognition = Recognition([entry("tiny", artifact("tiny.gguf", sha256=SHA256, size_bytes=5))])
    assert recognition.of(f"sha256-{SHA256}", 5, sha256=SHA256) is not None
    assert recognition.of("tiny.gguf", 5, sha256="b" * 64) is None


def test_what_a_file_was_fetched_for_counts_most() -> None:
    recognition = Recognition(
        [
            entry("first", artifact("tiny.gguf", size_bytes=5)),
            entry("second", artifact("tiny.gguf", size_bytes=5)),
        ]
    )
    found = recognition.of("tiny.gguf", 5, entry_id="second")
    assert found is not None
    assert found.model_id == "second"


def test_an_entry_that_is_gone_from_its_catalogue_is_no_entry() -> None:
    assert Recognition([]).of("tiny.gguf", 5, entry_id="gone") is None


def test_a_file_of_an_address_is_known_by_its_name_there() -> None:
    source = Url("https://example.org/files/tiny.gguf?download=true")
    given = Artifact(role="weights", quant="Q8_0", sources=(source,), size_bytes=5)
    assert Recognition([entry("tiny", given)]).of("tiny.gguf", 5) is not None


class TestInTheLibrary:
    @pytest.fixture
    def path(self, folder: Path) -> Path:
        return write_model(folder / "tiny.gguf", template=None)

    def opened(self, tmp_path: Path, entries: list[Entry], template: str = "") -> Library:
        return Library(
            tmp_path / "models",
            tmp_path / "library.json",
            lambda: entries,
            template_of=lambda entry: template if entry.id == "tiny" else "",
        )

    def test_a_noted_download_is_its_entry(self, tmp_path: Path, path: Path) -> None:
        entries = [entry("tiny", artifact("something-else.gguf"))]
        library = self.opened(tmp_path, entries)
        assert library.models()[0].entry is None
        library.note_download(path, "tiny", SHA256)
        (model,) = library.models()
        assert model.entry == entries[0]
        assert (model.name, model.sha256) == ("Tiny", SHA256)

    def test_a_file_that_was_written_again_is_no_longer_that_download(
        self, tmp_path: Path, path: Path
    ) -> None:
        library = self.opened(tmp_path, [entry("tiny")])
        library.note_download(path, "tiny", SHA256)
        write_model(path, n_layers=1)
        (model,) = library.models()
        assert (model.entry, model.sha256) == (None, "")

    def test_a_catalogue_that_is_refreshed_is_asked_again(self, tmp_path: Path, path: Path) -> None:
        entries: list[Entry] = []
        library = self.opened(tmp_path, entries)
        assert library.models()[0].entry is None
        entries.append(entry("tiny", artifact("tiny.gguf", size_bytes=path.stat().st_size)))
        assert library.models()[0].entry == entries[0]

    def test_the_catalogues_template_makes_a_chat_model_of_it(
        self, tmp_path: Path, path: Path
    ) -> None:
        known = entry("tiny", artifact("tiny.gguf", size_bytes=path.stat().st_size))
        (model,) = self.opened(tmp_path, [known]).models()
        assert (model.kind, model.template) == ("completion", "")
        (model,) = self.opened(tmp_path, [known], template="{{ messages }}").models()
        assert (model.kind, model.template) == ("chat", "{{ messages }}")

    def test_what_the_entry_is_good_for_counts(self, tmp_path: Path, folder: Path) -> None:
        path = write_model(folder / "tiny.gguf")
        known = entry("tiny", artifact("tiny.gguf", size_bytes=path.stat().st_size))
        base = msgspec.structs.replace(known, kind="completion")
        assert self.opened(tmp_path, [known]).models()[0].kind == "chat"
        assert self.opened(tmp_path, [base]).models()[0].kind == "completion"
