"""What a person types finds the entries they mean."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.entries import Artifact, Entry, HubFile, Licence
from catalog.catalogues.entry_filter import EntryFilter, EntryIndex

BUNDLED = load_bundled().entries
INDEX = EntryIndex(BUNDLED)


def entry(entry_id: str, **fields: object) -> Entry:
    sound: dict[str, object] = {
        "id": entry_id,
        "name": entry_id,
        "family": "",
        "kind": "chat",
        "licence": Licence("MIT"),
        "summary": "",
    }
    return Entry(**(sound | fields))  # type: ignore[arg-type]


def found(text: str = "", **fields: object) -> list[str]:
    wanted = EntryFilter(text=text, **fields)  # type: ignore[arg-type]
    return [each.id for each in INDEX.find(wanted)]


def test_nothing_typed_is_everything_in_order() -> None:
    assert INDEX.find(EntryFilter()) == BUNDLED
    assert INDEX.find(EntryFilter(text=" -- ")) == BUNDLED


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("vicuna", "vicuna-13b-v1.5"),
        ("VICUNA 13", "vicuna-13b-v1.5"),
        ("qwen3.5", "qwen3.5-0.8b"),
        ("qwen3.5-9b", "qwen3.5-9b"),
        ("qwen 9b", "qwen3.5-9b"),
        ("llama3", "llama-3.2-1b-instruct"),
        ("DeepSeek-R1", "deepseek-r1"),
        ("distill llama 70", "deepseek-r1-distill-llama-70b"),
        ("pythia", "oasst-sft-4-pythia-12b"),
        ("gpt-oss", "gpt-oss-20b"),
        ("llama 65", "llama-65b"),
    ],
)
def test_a_name_is_found_first(typed: str, first: str) -> None:
    assert found(typed)[0] == first


@pytest.mark.parametrize(
    ("typed", "entry_id"),
    [
        ("raspberry", None),
        ("q5_k_m koala", "koala-13b"),
        ("volunteers", "oasst-sft-4-pythia-12b"),
        ("apache embedding", "qwen3-embedding-0.6b"),
        ("chinchilla", "cerebras-gpt-256m"),
        ("gptneox", "oasst-sft-4-pythia-12b"),
    ],
)
def test_everything_that_is_said_of_it_is_searched(typed: str, entry_id: str | None) -> None:
    assert (entry_id in found(typed)) == (entry_id is not None)


def test_every_word_must_occur() -> None:
    assert found("vicuna embedding") == []


def test_accents_case_and_width_do_not_matter() -> None:
    index = EntryIndex([entry("a", name="Modèle É"), entry("b", name="ＬＡＲＧＥ")])
    assert [each.id for each in index.find(EntryFilter(text="modele e"))] == ["a"]
    assert [each.id for each in index.find(EntryFilter(text="large"))] == ["b"]


def test_names_come_before_descriptions() -> None:
    index = EntryIndex(
        [
            entry("described", summary="better than alpha"),
            entry("inside", name="Metalpha"),
            entry("word", name="The alpha"),
            entry("longer", name="Alpha two"),
            entry("exact", name="Alpha"),
        ]
    )
    order = [each.id for each in index.find(EntryFilter(text="alpha"))]
    assert order == ["exact", "longer", "word", "inside", "described"]


def test_a_filter_narrows_by_kind_capability_collection_and_licence() -> None:
    assert found(kinds=frozenset({"embedding"})) == [
        each.id for each in BUNDLED if each.kind == "embedding"
    ]
    both = found(capabilities=frozenset({"vision", "audio"}))
    assert both == ["gemma-4-e2b-it", "gemma-4-e4b-it"]
    assert "koala-13b" in found(collection="open-road-2023")
    assert "qwen3-4b" not in found(collection="open-road-2023")
    assert "qwen3-4b" in found(licence="apache-2.0")
    assert "gemma-3-1b-it" not in found(licence="apache-2.0")
    assert "deepseek-r1-distill-llama-8b" in found(licence="LLAMA3.1")
    assert "deepseek-r1-distill-llama-8b" in found(licence="mit")


def test_a_vision_model_sees_even_if_it_does_not_say_so() -> None:
    index = EntryIndex([entry("a", kind="vision"), entry("b")])
    assert [e.id for e in index.find(EntryFilter(capabilities=frozenset({"vision"})))] == ["a"]


def test_the_smallest_file_decides_what_fits_a_size() -> None:
    def file(size: int | None) -> Artifact:
        sources = (HubFile("o/n", "f.gguf"),)
        return Artifact(role="weights", quant="?", sources=sources, about_bytes=size)

    index = EntryIndex(
        [
            entry("small", artifacts=(file(900), file(100), file(None))),
            entry("unknown", artifacts=(file(None),)),
            entry("none"),
        ]
    )
    assert [each.id for each in index.find(EntryFilter(max_bytes=100))] == ["small"]
    assert index.find(EntryFilter(max_bytes=99)) == ()


@given(st.sampled_from(BUNDLED))
def test_its_own_name_finds_every_entry_first(each: Entry) -> None:
    assert INDEX.find(EntryFilter(text=each.name))[0].name == each.name


@given(st.text(), st.text())
def test_typing_on_only_narrows(text: str, more: str) -> None:
    shorter = {each.id for each in INDEX.find(EntryFilter(text=text))}
    longer = {each.id for each in INDEX.find(EntryFilter(text=f"{text} {more}"))}
    assert longer <= shorter


@given(st.text(max_size=30), st.sampled_from(["summary", "showed", "name"]))
def test_any_text_is_found_by_itself(text: str, field: str) -> None:
    described = msgspec.structs.replace(entry("x"), **{field: text})
    assert EntryIndex([described]).find(EntryFilter(text=text)) == (described,)
