"""The page that tells how a catalogue is written says what is so."""

import json
import re
from pathlib import Path

import jinja2
import pytest

from catalog.catalogues.catalogue_check import CAPABILITIES, SAMPLING_KEYS, check_catalogue
from catalog.catalogues.entries import (
    Artifact,
    Catalogue,
    Collection,
    Entry,
    HubFile,
    Licence,
    Package,
    Url,
)

PAGE = (Path(__file__).parents[3] / "docs" / "catalog.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_its_example_is_a_catalogue_without_fault() -> None:
    checked = check_catalogue(BLOCKS[0].encode(), "The example")
    assert checked.problems == ()
    assert checked.warnings == ()
    assert checked.catalogue is not None
    assert [entry.id for entry in checked.catalogue.entries] == ["our-model-3b"]


def test_its_template_writes_a_prompt() -> None:
    (text,) = json.loads(f"{{{BLOCKS[1]}}}")["templates"].values()
    asked = (
        jinja2.Environment()
        .from_string(text)
        .render(messages=[{"role": "user", "content": "One?"}])
    )
    assert asked == "user: One?\nassistant:"


@pytest.mark.parametrize(
    "kind", [Catalogue, Collection, Entry, Licence, Artifact, HubFile, Url, Package]
)
def test_every_field_is_told(kind: type) -> None:
    for field in kind.__struct_fields__:  # type: ignore[attr-defined]
        assert f"`{field}`" in PAGE or f"{field}," in PAGE or f"{field}}}" in PAGE, field


def test_every_word_of_the_vocabulary_is_told() -> None:
    for word in (*CAPABILITIES, *SAMPLING_KEYS):
        assert f"`{word}`" in PAGE
