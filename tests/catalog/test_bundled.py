"""The bundled catalogue is sound, and a broken one names what is wrong."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from catalog.bundled import decode_catalogue, load_bundled
from catalog.entries import Package
from catalog.errors import CatalogError
from catalog.gguf import check_model_file


def bundled() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "resources" / "catalog.json"
    return json.loads(path.read_text(encoding="utf-8"))


def decode(content: object) -> object:
    return decode_catalogue(json.dumps(content).encode(), "The catalogue “test”")


def test_the_starter_is_there() -> None:
    starter = load_bundled().entry("smollm2-135m-instruct")
    assert starter is not None
    assert starter.licence.id == "Apache-2.0"
    (artifact,) = starter.artifacts
    assert artifact.file_name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert artifact.size_bytes == 98_362_432
    assert isinstance(artifact.sources[0], Package)


def test_unknown_fields_are_ignored() -> None:
    content = bundled()
    content["from_the_future"] = 1
    content["entries"][0]["from_the_future"] = {"a": 1}
    content["entries"][0]["artifacts"][0]["sources"][0]["from_the_future"] = []
    assert decode(content) == load_bundled()


@pytest.mark.parametrize(
    ("version", "fix"), [(2, "Update Causeway."), (0, ""), (99, "Update Causeway.")]
)
def test_another_version_is_refused(version: int, fix: str) -> None:
    with pytest.raises(CatalogError, match=f"“test” is of version {version}") as caught:
        decode(bundled() | {"schema_version": version})
    assert caught.value.fix == fix


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"entries": []}'])
def test_what_is_no_catalogue_is_said(data: bytes) -> None:
    with pytest.raises(CatalogError, match="“test” can't be read"):
        decode_catalogue(data, "The catalogue “test”")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("name",), 7, r"entry 1 \(“smollm2-135m-instruct”\), is not valid\. .*name"),
        (("name",), " ", "It has no name"),
        (("id",), "Has Spaces", r"entry 1 \(“Has Spaces”\), .* lower-case"),
        (("artifacts",), [], "It lists no file"),
        (("context",), -1, "below zero"),
        (("kind",), "wizard", "wizard"),
        (("artifacts", 0, "sources"), [], "has no source"),
        (("artifacts", 0, "size_bytes"), -1, "must be above zero"),
        (("artifacts", 0, "sha256"), "ABC", "no SHA-256"),
        (("artifacts", 0, "sources", 0, "type"), "carrier pigeon", "carrier pigeon"),
        (("artifacts", 0, "sources", 0, "member"), "a/..", "no name for a model file"),
        (("artifacts", 0, "sources", 0, "member"), "a\\b.gguf", "no name for a model file"),
        (("artifacts", 0, "sources", 0, "member"), "a/b.py", "no name for a model file"),
        (("artifacts", 0, "sources", 0, "member"), "a/.gguf", "no name for a model file"),
    ],
)
def test_a_broken_entry_is_named(place: tuple[str | int, ...], value: object, words: str) -> None:
    content = bundled()
    target = content["entries"][0]
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    with pytest.raises(CatalogError, match=words):
        decode(content)


def test_two_entries_of_one_id_are_refused() -> None:
    content = bundled()
    content["entries"] *= 2
    with pytest.raises(CatalogError, match="two entries “smollm2-135m-instruct”"):
        decode(content)


@pytest.mark.model
def test_the_starter_is_what_the_catalogue_says(starter_model: Path) -> None:
    entry = load_bundled().entries[0]
    header = check_model_file(starter_model)
    assert hashlib.sha256(starter_model.read_bytes()).hexdigest() == entry.artifacts[0].sha256
    assert header.n_parameters == entry.parameters
    assert header.context_length == entry.context
    assert header.quant == entry.artifacts[0].quant
    assert header.architecture == entry.architecture
