"""Ollama's models are used where they lie, under the names that Ollama gives them."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.library import LibraryProblem, Place
from catalog.library.ollama import ollama_files
from tests.catalog.library.conftest import OpenLibrary
from tests.catalog.library.places import MEDIA, add_to_ollama
from tests.gguf_files import write_adapter, write_model, write_projector

USUAL = "registry.ollama.ai/library"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "ollama"


@pytest.fixture
def place(store: Path) -> Place:
    return Place("ollama", store, "Ollama")


def test_a_tag_is_a_model_with_its_digest(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    content = write_model(tmp_path / "m.gguf", name="Llama 3.2 1B").read_bytes()
    add_to_ollama(store, f"{USUAL}/llama3.2/1b", [("model", content), ("params", b"{}")])
    library = open_library(place)
    (model,) = library.models()
    digest = hashlib.sha256(content).hexdigest()
    assert (model.name, model.id, model.place) == ("llama3.2:1b", "llama3.2-1b", "ollama")
    assert (model.sha256, model.path) == (digest, store / "blobs" / f"sha256-{digest}")
    assert not model.managed
    assert library.find("llama3.2:1b") == model


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        (f"{USUAL}/qwen3/latest", "qwen3:latest"),
        ("registry.ollama.ai/someone/tuned/7b", "someone/tuned:7b"),
        ("hf.co/bartowski/Tiny-GGUF/Q4_K_M", "hf.co/bartowski/Tiny-GGUF:Q4_K_M"),
    ],
)
def test_names_are_those_that_ollama_shows(
    tmp_path: Path,
    store: Path,
    place: Place,
    open_library: OpenLibrary,
    manifest: str,
    name: str,
) -> None:
    add_to_ollama(store, manifest, [("model", write_model(tmp_path / "m.gguf"))])
    (model,) = open_library(place).models()
    assert model.name == name


def test_tags_of_one_blob_are_one_model_that_goes_by_each(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    content = write_model(tmp_path / "m.gguf")
    for tag in ("latest", "3b"):
        add_to_ollama(store, f"{USUAL}/llama3.2/{tag}", [("model", content)])
    library = open_library(place)
    (model,) = library.models()
    assert model.name == "llama3.2:3b"
    assert library.find("llama3.2:latest") == model
    assert library.find("LLAMA3.2:3b") == model


def test_projector_and_adapter_layers_are_what_they_are(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    add_to_ollama(
        store,
        f"{USUAL}/llava/7b",
        [
            ("model", write_model(tmp_path / "m.gguf")),
            ("projector", write_projector(tmp_path / "p.gguf")),
            ("adapter", write_adapter(tmp_path / "a.gguf")),
        ],
    )
    library = open_library(place)
    (model,) = library.models()
    (adapter,) = library.adapters()
    assert adapter.kind == "adapter"
    assert model.projector is not None
    assert model.projector.read_bytes() == (tmp_path / "p.gguf").read_bytes()


def test_a_model_without_a_projector_layer_does_not_take_that_of_another(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    for number, more in enumerate([[("projector", write_projector(tmp_path / "p.gguf"))], []]):
        model = write_model(tmp_path / f"{number}.gguf", seed=number)
        add_to_ollama(store, f"{USUAL}/model{number}/1b", [("model", model), *more])
    seeing, blind = open_library(place).models()
    assert seeing.projector is not None
    assert blind.projector is None


def test_the_licence_is_the_title_of_its_layer(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    licence = b"\n\n  LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\n\nAnd so on."
    add_to_ollama(
        store,
        f"{USUAL}/llama3.2/1b",
        [("model", write_model(tmp_path / "m.gguf")), ("license", licence)],
    )
    library = open_library(place)
    details = library.details(library.models()[0])
    assert details.licence.id == "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT"
    assert (details.place, details.sha256_from) == ("Ollama", "place")


def test_a_model_that_was_only_half_pulled_is_told_and_the_rest_is_listed(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    add_to_ollama(store, f"{USUAL}/good/1b", [("model", write_model(tmp_path / "m.gguf"))])
    add_to_ollama(store, f"{USUAL}/bad/1b", [("model", b"GGUF")])
    (store / "blobs" / f"sha256-{hashlib.sha256(b'GGUF').hexdigest()}").unlink()
    library = open_library(place)
    assert [model.name for model in library.models()] == ["good:1b"]
    (problem,) = library.problems
    assert problem.error.what == "Ollama's “bad:1b” is not whole."
    assert "Pull it again" in problem.error.fix


def test_a_model_that_runs_elsewhere_or_is_no_gguf_is_passed_over(
    store: Path, place: Place, open_library: OpenLibrary
) -> None:
    add_to_ollama(store, f"{USUAL}/cloud/latest", [])
    add_to_ollama(store, f"{USUAL}/tensors/latest", [("tensor", b"x" * 40)])
    library = open_library(place)
    assert library.models() == ()
    assert library.problems == ()


@pytest.mark.parametrize(
    "digest",
    ["sha256:../../../etc/passwd", "sha256:" + "A" * 64, "md5:1", "", "sha256-" + "0" * 63],
)
def test_a_digest_leads_nowhere_but_to_a_blob(
    store: Path, place: Place, open_library: OpenLibrary, digest: str
) -> None:
    manifest = add_to_ollama(store, f"{USUAL}/odd/1b", [])
    manifest.write_text(json.dumps({"layers": [{"mediaType": MEDIA + "model", "digest": digest}]}))
    library = open_library(place)
    assert library.models() == ()
    assert library.problems == ()


def test_a_blob_is_never_removed(
    tmp_path: Path, store: Path, place: Place, open_library: OpenLibrary
) -> None:
    add_to_ollama(store, f"{USUAL}/llama3.2/1b", [("model", write_model(tmp_path / "m.gguf"))])
    library = open_library(place)
    (model,) = library.models()
    with pytest.raises(Exception, match=r"“llama3\.2:1b” belongs to Ollama\. .* Remove it there"):
        library.remove(model.id)
    assert model.path.exists()


LAYERS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "mediaType": st.sampled_from([MEDIA + "model", MEDIA + "projector", "x", "", None, 3]),
            "digest": st.sampled_from(["sha256:" + "a" * 64, "sha256:" + "b" * 64, "../x", None]),
            "size": st.integers() | st.text(max_size=3),
        },
    ),
    max_size=4,
)
DOCUMENTS = st.binary(max_size=200) | st.builds(
    lambda layers: json.dumps({"layers": layers}).encode(), LAYERS | st.none() | st.text()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(DOCUMENTS)
def test_a_manifest_may_hold_anything(tmp_path: Path, content: bytes) -> None:
    store = tmp_path / "ollama"
    manifest = store / "manifests" / USUAL / "odd" / "1b"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_bytes(content)
    blobs = store / "blobs"
    blobs.mkdir(exist_ok=True)
    (blobs / ("sha256-" + "a" * 64)).write_bytes(b"GGUF")
    problems: list[LibraryProblem] = []
    for file in ollama_files(store, problems):
        assert Path(file.path).parent == blobs
        assert set(file.names) <= {"odd:1b"}
    assert all(str(problem.error) for problem in problems)
