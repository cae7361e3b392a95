import msgspec
import pytest

from app.recommendations import Choice
from catalog.fit.fit import Fit, MemoryEstimate
from tests.ui.models.discover_world import ALBATROSS, GB, OLD_7B, OLD_65B, PLOVER, RAW, entry, found
from ui.models.discover_entries import EntryFacts, is_road, stops_of
from ui.models.discover_filters import Filters
from ui.models.discover_result_rows import count_words, downloads_words, likes_words
from ui.models.entry_facts import meta_words, stop_words
from ui.models.entry_words import day_words, full_day_words, month_words, parameter_words
from ui.models.fit_words import (
    context_words,
    need_words,
    part_words,
    room_words,
    share_words,
    sum_words,
)
from ui.models.licence_words import licence_meaning, licence_name


def fit(weights: float, verdict="fits", free: float = 9.8, **more) -> Fit:
    parts = MemoryEstimate(int(weights * GB), int(0.47 * GB), int(0.35 * GB))
    return Fit(verdict=verdict, parts=parts, free=int(free * GB), n_ctx=8192, **more)


def test_what_a_model_needs_is_said_with_what_it_leaves(qapp):
    assert need_words(fit(4.68)) == "Needs 5.5 GB"
    assert need_words(fit(8.1, "tight")) == "Needs 8.9 GB, leaves 880 MB"
    assert need_words(fit(15.2, "too_large")) == "Needs 16 GB, only 9.8 GB free"


def test_the_parts_of_a_sum_have_the_same_decimals(qapp):
    assert part_words(fit(4.68)) == ("Weights 4.7", "8k context 0.5", "Working 0.3")
    small = Fit(
        verdict="fits", parts=MemoryEstimate(98_000_000, 20_000_000, 0), free=9 * GB, n_ctx=2048
    )
    assert part_words(small) == ("Weights 0.10", "2k context 0.02", "Working 0.00")
    assert share_words(small) == "0.12 of 9.0 GB free"
    assert sum_words(small).startswith("Weights 0.10 + 2k context 0.02 + Working 0.00 = 0.12 GB")


def test_a_sum_says_where_it_comes_from(qapp):
    assert "from its size" in sum_words(fit(1))
    assert "header" in sum_words(fit(1, exact=True))


def test_what_follows_from_the_memory_is_one_sentence(qapp):
    room = room_words(fit(4, largest_context=32768, speed="readable"))
    assert room == "Up to 32k context · about as fast as one reads"
    assert room_words(fit(4, speed="slow")) == "Slow on this computer"
    assert room_words(fit(4)) == ""


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(512, "512"), (2048, "2k"), (8192, "8k"), (131072, "128k"), (1 << 20, "1M"), (10_000, "10k")],
)
def test_contexts_are_written_as_people_do(qapp, tokens, words):
    assert context_words(tokens) == words


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (112_000, "112 k"),
        (135_000_000, "135 M"),
        (999_885_952, "1 B"),
        (7_615_616_512, "7.62 B"),
        (671_000_000_000, "671 B"),
        (10**12, "1 T"),
    ],
)
def test_parameters_are_written_as_people_do(qapp, parameters, words):
    assert parameter_words(parameters) == words


@pytest.mark.parametrize(
    ("count", "words"), [(950, "950"), (9_999, "9,999"), (12_345, "12k"), (1_234_567, "1.2M")]
)
def test_counts_are_rounded(count, words):
    assert count_words(count) == words


def test_one_is_counted_in_the_singular():
    assert (downloads_words(1), downloads_words(2)) == ("1 download", "2 downloads")
    assert (likes_words(1), likes_words(12_345)) == ("1 like", "12k likes")


def test_days_are_written_short_and_long_and_what_is_none_as_it_is(qapp):
    assert day_words("2023-02-24") == "24 Feb"
    assert month_words("2025-01-20") == "Jan 2025"
    assert full_day_words("2023-02-24") == "24 February 2023"
    assert day_words("some day") == "some day"


@pytest.mark.parametrize(
    ("licence", "part"),
    [
        ("MIT", "also for money"),
        ("apache-2.0", "also for money"),
        ("GPL-3.0", "stays open"),
        ("cc-by-nc-4.0", "not for money"),
        ("cc-by-sa-4.0", "name who made it"),
        ("llama3.1", "Meta"),
        ("LLaMA non-commercial", "not for money"),
        ("qwen-research", "not for money"),
        ("MIT AND llama3.3", "Meta"),
        ("not stated", "Nobody has said"),
    ],
)
def test_a_licence_is_told_in_a_sentence(qapp, licence, part):
    assert part in licence_meaning(licence)


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("Apache-2.0", "Apache-2.0"),
        ("llama3.1", "Llama 3.1"),
        ("lfm1.0", "LFM 1.0"),
        ("MIT AND llama3.3", "MIT AND Llama 3.3"),
        ("bsd-3-clause", "BSD-3-Clause"),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("not stated", "not stated"),
        ("", "not stated"),
        ("other", "Other licence"),
        ("llama-forever", "llama-forever"),
        ("my-own-1.0", "my-own-1.0"),
    ],
)
def test_a_licence_has_the_name_that_people_write(qapp, licence, name):
    assert licence_name(licence) == name


def test_an_unknown_licence_is_not_explained(qapp):
    assert licence_meaning("my-own-1.0") == ""


def test_a_road_groups_families_by_their_first_day(qapp):
    later = msgspec.structs.replace(OLD_65B, published="2024-01-01")
    stops = stops_of([RAW, later, OLD_7B])
    assert [(stop.name, stop.published) for stop in stops] == [
        ("Old", "2023-02-24"),
        ("Raw", "2023-03-28"),
    ]
    assert is_road([RAW, OLD_7B])
    assert not is_road([RAW, PLOVER])
    assert not is_road([])


def test_a_stop_says_what_its_smallest_takes_or_why_nothing_can_be_had(qapp):
    assert stop_words([EntryFacts(OLD_7B), EntryFacts(OLD_65B)]) == [("from 4.0 GB", "text3")]
    assert stop_words([EntryFacts(RAW)]) == [("to convert", "text3")]
    here = EntryFacts(OLD_7B, installed=True)
    assert stop_words([here, EntryFacts(OLD_65B)]) == [("installed", "accent_text")]


def test_an_entry_without_any_size_is_told_by_its_licence(qapp):
    assert meta_words(EntryFacts(entry("Odd", ()))) == [("MIT", "text3")]


def test_filters_become_what_the_catalogue_and_the_hub_can_be_asked():
    filters = Filters(text="heron", small=True, vision=True, adapters=True, licence="MIT")
    wanted = filters.entry_filter()
    assert wanted.kinds == {"adapter"}
    assert wanted.capabilities == {"vision"}
    assert wanted.max_bytes == 1_500_000_000
    query = filters.hub_query()
    assert (query.text, query.licence, query.adapters) == ("heron", "mit", True)
    assert query.parameters == (None, 2.5)


def test_the_smaller_of_two_limits_counts():
    assert Filters(small=True, max_bytes=8 * GB).limit == 1_500_000_000
    assert Filters(small=True, max_bytes=GB).limit == GB
    assert Filters().limit is None


def test_words_before_a_slash_are_an_owner_only_where_they_can_be_one():
    assert Filters(text="maker/heron").hub_query().author == "maker"
    query = Filters(text="either / or").hub_query()
    assert (query.author, query.text) == ("either", "or")
    query = Filters(text="two words/heron").hub_query()
    assert (query.author, query.text) == ("", "two words/heron")


def test_only_what_says_so_is_admitted_by_a_capability():
    seeing = found("x", tags=("gguf", "Image-Text-To-Text"))
    assert Filters(vision=True).admits(seeing)
    assert not Filters(vision=True).admits(found("x"))
    assert not Filters(vision=True, embedding=True).admits(seeing)
    assert Filters().admits(found("x"))


def test_the_fit_alone_is_no_search():
    assert not Filters(fits=True).is_searching
    assert Filters(fits=True).narrows
    assert not Filters(text="x", fits=False, sort="newest").narrows
    assert Filters(licence="MIT", fits=False).narrows


def test_a_size_is_told_only_when_it_stays(qapp):
    """Which of several files is chosen depends on what fits, and that takes a moment to find out."""
    (artifact, *_) = PLOVER.weights
    assert [words for words, _ in meta_words(EntryFacts(PLOVER))] == ["MIT"]
    assert stop_words([EntryFacts(PLOVER)]) == []
    known = EntryFacts(PLOVER, Choice(artifact, fit(4.7)))
    assert [words for words, _ in meta_words(known)] == ["4.70 GB", "MIT"]
    assert [words for words, _ in meta_words(EntryFacts(ALBATROSS))] == ["40 GB", "MIT"]
