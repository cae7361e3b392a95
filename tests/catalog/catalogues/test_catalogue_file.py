"""A catalogue from anywhere loads as far as it is sound, and says what is not."""

import copy
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.catalogues.catalogue_file import MAX_FILE_BYTES, DecodedCatalogue, decode_catalogue
from catalog.errors import CatalogError
from tests.catalog.catalogues.catalogue_data import (
    bundled_data,
    catalogue_data,
    encoded,
    entry_data,
)

TITLE = "The catalogue “test”"


def decode(content: object) -> DecodedCatalogue:
    return decode_catalogue(encoded(content), TITLE)


def with_value(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A sound entry with one value exchanged."""
    entry = copy.deepcopy(entry_data("broken"))
    target: Any = entry
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return entry


def test_a_sound_catalogue_loads_whole() -> None:
    decoded = decode(
        catalogue_data(
            entry_data("one", collection="first", template="plain"),
            entry_data("two"),
            collections=[{"id": "first", "title": "First"}],
            templates={"plain": "{{ messages[0]['content'] }}"},
        )
    )
    assert decoded.problems == ()
    assert [entry.id for entry in decoded.catalogue.entries] == ["one", "two"]
    assert decoded.catalogue.entries[0].collection == "first"
    assert decoded.catalogue.templates == {"plain": "{{ messages[0]['content'] }}"}


def test_unknown_fields_are_ignored() -> None:
    content = bundled_data()
    expected = decode(content)
    content["from_the_future"] = 1
    content["collections"][0]["from_the_future"] = 1
    content["entries"][0]["from_the_future"] = {"a": 1}
    content["entries"][0]["artifacts"][0]["sources"][0]["from_the_future"] = []
    assert decode(content) == expected


@pytest.mark.parametrize(
    ("version", "fix"), [(2, "Update Causeway."), (0, ""), (99, "Update Causeway.")]
)
def test_another_version_is_refused_whatever_else_it_has(version: int, fix: str) -> None:
    with pytest.raises(CatalogError, match=f"“test” is of version {version}") as caught:
        decode({"schema_version": version, "entries": "elsewhere"})
    assert caught.value.fix == fix


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"null",
        b'{"entries": []}',
        b'{"schema_version": 1}',
        b'{"schema_version": 1, "id": "Not An Id"}',
        b'{"schema_version": 1, "id": "a", "entries": {}}',
        b'{"schema_version": 1, "id": "a", "published": "yesterday"}',
        b'{"schema_version": 1, "id": "a", "x": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_catalogue_is_said(data: bytes) -> None:
    with pytest.raises(CatalogError, match="“test” can't be read"):
        decode_catalogue(data, TITLE)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("name",), 7, "name"),
        (("name",), " ", "It has no name"),
        (("name",), "n" * 200, "name"),
        (("id",), "../up", "id"),
        (("artifacts",), [], "It lists no file"),
        (("artifacts", 0, "role"), "projector", "It lists no file"),
        (("kind",), "adapter", "It lists no file"),
        (("status",), "needs_conversion", "does not say why"),
        (("context",), -1, "context"),
        (("kind",), "wizard", "wizard"),
        (("published",), "24 Feb 2023", "published"),
        (("url",), "javascript:alert(1)", "no https address"),
        (("url",), "http://example.org/", "no https address"),
        (("url",), "https://name:password@example.org/", "no https address"),
        (("licence", "url"), "file:///etc/passwd", "no https address"),
        (("template",), "nowhere", "template “nowhere”"),
        (("sampling",), {"temperature": "hot"}, "sampling"),
        (("artifacts", 0, "sources"), [], "sources"),
        (("artifacts", 0, "size_bytes"), -1, "size_bytes"),
        (("artifacts", 0, "sha256"), "ABC", "sha256"),
        (("artifacts", 0, "sources", 0, "type"), "carrier pigeon", "carrier pigeon"),
        (("artifacts", 0, "sources", 0, "repo"), "owner", "no repository"),
        (("artifacts", 0, "sources", 0, "repo"), "../..", "no repository"),
        (("artifacts", 0, "sources", 0, "repo"), "aux/model", "no repository"),
        (("artifacts", 0, "sources", 0, "revision"), "a/../b", "no branch"),
    ],
)
def test_a_broken_entry_is_named_and_the_rest_loads(
    place: tuple[str | int, ...], value: object, words: str
) -> None:
    decoded = decode(
        catalogue_data(entry_data("first"), with_value(place, value), entry_data("last"))
    )
    assert [entry.id for entry in decoded.catalogue.entries] == ["first", "last"]
    (problem,) = decoded.problems
    assert problem.what.startswith("The catalogue “test”, entry 2 (“")
    assert words in problem.why


@pytest.mark.parametrize(
    "path",
    [
        "a/..",
        "../a.gguf",
        "/a.gguf",
        "a//b.gguf",
        "a\\b.gguf",
        "C:\\a.gguf",
        "C:a.gguf",
        "a/b.py",
        "a/.gguf",
        "a/b.gguf.",
        "a/b.gguf ",
        "NUL.gguf",
        "com1.x.gguf",
        "aux/a.gguf",
        "a./b.gguf",
        "a?.gguf",
        "a\u202egguf.gguf/..",
        "e\u0301.gguf",
        "n" * 300 + ".gguf",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["hub", "package"])
def test_no_file_name_leads_elsewhere(path: str, kind: str) -> None:
    source = {
        "hub": {"type": "hub", "repo": "owner/name", "path": path},
        "package": {"type": "package", "project": "p", "version": "1", "member": path},
    }[kind]
    entry = with_value(("artifacts", 0, "sources", 0), source)
    decoded = decode(catalogue_data(entry))
    assert decoded.catalogue.entries == ()
    assert len(decoded.problems) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.gguf",
        "https://example.org/a.exe",
        "https://example.org/",
        "https://example.org/a\nb.gguf",
        "https://user@example.org/a.gguf",
        "https://exa mple.org/a.gguf",
        "https:///a.gguf",
        "ftp://example.org/a.gguf",
        "file:///a.gguf",
    ],
)
def test_a_file_is_fetched_over_https_only(url: str) -> None:
    entry = with_value(("artifacts", 0, "sources", 0), {"type": "url", "url": url})
    assert decode(catalogue_data(entry)).catalogue.entries == ()


def test_every_source_is_checked_not_only_the_first() -> None:
    entry = entry_data()
    entry["artifacts"][0]["sources"].append({"type": "url", "url": "https://example.org/a.exe"})
    assert decode(catalogue_data(entry)).catalogue.entries == ()


def test_the_second_of_two_entries_of_one_id_is_left_out() -> None:
    decoded = decode(catalogue_data(entry_data("one"), entry_data("one", name="Impostor")))
    assert [entry.name for entry in decoded.catalogue.entries] == ["Model one"]
    assert "There are two “one”." in decoded.problems[0].why


def test_an_entry_of_no_known_collection_loads_without_one() -> None:
    decoded = decode(catalogue_data(entry_data("one", collection="lost")))
    assert decoded.catalogue.entries[0].collection == ""
    assert "“lost”" in decoded.problems[0].why


def test_a_broken_collection_or_template_is_named() -> None:
    decoded = decode(
        catalogue_data(
            entry_data("one"),
            collections=[{"id": "x"}, {"id": "y", "title": "Y"}],
            templates={"long": "x" * 200_000, "number": 1, "good": "x"},
        )
    )
    assert [collection.id for collection in decoded.catalogue.collections] == ["y"]
    assert decoded.catalogue.templates == {"good": "x"}
    assert [problem.what for problem in decoded.problems] == [
        "The catalogue “test”, collection 1 (“x”), is left out.",
        "The catalogue “test”, template “long”, is left out.",
        "The catalogue “test”, template “number”, is left out.",
    ]
    assert len(decoded.catalogue.entries) == 1


def test_texts_are_plain_and_on_one_line() -> None:
    decoded = decode(
        catalogue_data(
            entry_data(
                "one",
                name="A\u202eB\x1b[31m\nC",
                showed="tab\there\u2028there\u200b",
                tags=["a\0b"],
                summary="family 👨\u200d👩\u200d👧 می\u200cخواهم",
                stop=["\n\nUser:\x07"],
            ),
            title="T\x9bitle",
        )
    )
    (entry,) = decoded.catalogue.entries
    assert entry.name == "AB[31m C"
    assert entry.showed == "tab here there"
    assert entry.tags == ("ab",)
    assert entry.summary == "family 👨\u200d👩\u200d👧 می\u200cخواهم"
    assert entry.stop == ("\n\nUser:",)
    assert decoded.catalogue.title == "Title"


def test_texts_are_plain_however_they_are_written() -> None:
    """Escaped or as bytes, what can't be seen goes."""
    content = catalogue_data(entry_data("one", name="A\u202eB\x7f\u00adC\ufeff"))
    data = json.dumps(content, ensure_ascii=False).encode()
    assert decode_catalogue(data, TITLE).catalogue.entries[0].name == "ABC"


def test_an_error_shows_no_more_than_a_line_of_what_is_wrong() -> None:
    broken = entry_data("one", kind="x\u202e\n" * 10_000) | {"id": "y\x1b\n" * 10_000}
    (problem,) = decode(catalogue_data(broken)).problems
    assert len(str(problem)) < 1_000
    assert_plain(str(problem))


def test_too_many_entries_and_too_large_a_file_are_refused() -> None:
    with pytest.raises(CatalogError, match="more than 20,000 entries"):
        decode(catalogue_data(*[{}] * 20_001))
    with pytest.raises(CatalogError, match="too large"):
        decode_catalogue(b" " * (MAX_FILE_BYTES + 1), TITLE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def assert_plain(text: str) -> None:
    unseen = {
        character
        for character in text
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("LRO", "RLO", "LRE", "RLE", "PDF", "RLI", "LRI")
    }
    assert not unseen


def check_only_words(data: bytes) -> None:
    """The promise of the reader: a catalogue, or an error in words, whatever the bytes are."""
    try:
        decoded = decode_catalogue(data, TITLE)
    except CatalogError:
        return
    for problem in decoded.problems:
        assert_plain(str(problem))
    for entry in decoded.catalogue.entries:
        assert_plain(entry.name + entry.summary + entry.showed)
        for artifact in entry.artifacts:
            assert "/" not in artifact.file_name
            assert artifact.file_name.lower().endswith(".gguf")


@given(st.binary(max_size=300))
def test_any_bytes_end_in_words(data: bytes) -> None:
    check_only_words(data)


@given(json_values)
def test_any_json_ends_in_words(value: object) -> None:
    check_only_words(json.dumps(value).encode())


@given(st.dictionaries(st.sampled_from([*sorted(entry_data()), "stop", "sampling"]), json_values))
def test_any_entry_ends_in_words(changes: dict[str, Any]) -> None:
    check_only_words(encoded(catalogue_data(entry_data() | changes)))


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where a value can be exchanged."""
    steps: list[Any] = []
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = list(range(len(value)))
    return [
        place for step in steps for place in ((*path, step), *places(value[step], (*path, step)))
    ]


SMALL = bundled_data()
SMALL["entries"] = [entry for entry in SMALL["entries"] if entry["family"] in ("Vicuna", "SmolLM2")]
PLACES = places(SMALL)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), json_values)
def test_the_bundled_catalogue_with_any_value_exchanged_ends_in_words(
    place: tuple[str | int, ...], value: object
) -> None:
    spoiled = copy.deepcopy(SMALL)
    target: Any = spoiled
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    check_only_words(encoded(spoiled))


@given(st.integers(0, len(encoded(SMALL)) - 1), st.binary(max_size=4))
def test_the_bundled_catalogue_with_any_bytes_exchanged_ends_in_words(
    position: int, patch: bytes
) -> None:
    data = encoded(SMALL)
    check_only_words(data[:position] + patch + data[position + len(patch) :])
