"""The bundled catalogue is there at once, and its starter is the file that it says."""

import hashlib
from importlib.resources import files
from pathlib import Path

import pytest

from catalog.catalogues.bundled import STARTER_ID, load_bundled
from catalog.catalogues.catalogue_file import decode_catalogue
from catalog.catalogues.entries import Package
from catalog.gguf.files import check_model_file


def test_the_starter_is_there_and_comes_first() -> None:
    catalogue = load_bundled()
    starter = catalogue.entry(STARTER_ID)
    assert starter is not None
    assert starter == catalogue.entries[0]
    assert starter.licence.id == "Apache-2.0"
    (artifact,) = starter.artifacts
    assert artifact.file_name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert artifact.size_bytes == 98_362_432
    assert isinstance(artifact.sources[0], Package)


def test_nothing_of_it_is_left_out() -> None:
    data = files("resources").joinpath("catalog.json").read_bytes()
    assert decode_catalogue(data, "The bundled catalogue").problems == ()


@pytest.mark.model
def test_the_starter_is_what_the_catalogue_says(starter_model: Path) -> None:
    entry = load_bundled().entries[0]
    header = check_model_file(starter_model)
    assert hashlib.sha256(starter_model.read_bytes()).hexdigest() == entry.artifacts[0].sha256
    assert header.n_parameters == entry.parameters
    assert header.context_length == entry.context
    assert header.quant == entry.artifacts[0].quant
    assert header.architecture == entry.architecture
