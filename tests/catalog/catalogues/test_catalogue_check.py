"""Who writes a catalogue is told what is wrong, and what could be better."""

from catalog.catalogues.catalogue_check import CatalogueCheck, check_catalogue
from tests.catalog.catalogues.catalogue_data import (
    bundled_data,
    catalogue_data,
    encoded,
    entry_data,
)

SHA256 = "0" * 64


def check(content: object) -> CatalogueCheck:
    return check_catalogue(encoded(content), "“mine.json”")


def sound_entry(**changes: object) -> dict[str, object]:
    entry = entry_data("one", **changes)
    for artifact in entry["artifacts"]:
        artifact["sha256"] = SHA256
    return entry


def test_a_sound_catalogue_has_nothing_to_say() -> None:
    checked = check(catalogue_data(sound_entry()))
    assert checked.problems == ()
    assert checked.warnings == ()
    assert checked.catalogue is not None


def test_what_cannot_be_read_is_a_problem() -> None:
    checked = check_catalogue(b"{", "“mine.json”")
    assert checked.catalogue is None
    assert [problem.what for problem in checked.problems] == ["“mine.json” can't be read."]


def test_a_broken_entry_is_a_problem() -> None:
    checked = check(catalogue_data(sound_entry(), entry_data("two", kind="wizard")))
    assert len(checked.problems) == 1


def test_a_slip_of_the_pen_is_a_warning_with_a_guess() -> None:
    entry = sound_entry(licens="MIT")
    entry["artifacts"][0]["sources"][0]["revison"] = "v1"  # type: ignore[index]
    checked = check(catalogue_data(entry, titel="Mine"))
    assert checked.problems == ()
    assert checked.warnings == (
        "The field 'titel' of the catalogue is not known, and ignored. Is “title” meant?",
        "The field 'licens' of entry 'one' is not known, and ignored. Is “licence” meant?",
        "The field 'revison' of entry 'one', source is not known, and ignored. "
        "Is “revision” meant?",
    )


def test_what_a_reader_would_miss_is_a_warning() -> None:
    entry = entry_data(
        "one", capabilities=["vision", "magic"], sampling={"heat": 1}, licence={"id": "MIT"}
    )
    del entry["artifacts"][0]["size_bytes"]
    said = " ".join(check(catalogue_data(entry, templates={"unused": "x"})).warnings)
    for words in ("“magic”", "“heat”", "no address", "no projector", "no sha256", "how large"):
        assert words in said
    assert "“unused”" in said


def test_the_bundled_id_is_taken() -> None:
    (warning,) = check(catalogue_data(sound_entry(), id="causeway")).warnings
    assert "no other can be added" in warning


def test_of_the_bundled_catalogue_only_checksums_and_sizes_are_missed() -> None:
    checked = check(bundled_data())
    assert checked.problems == ()
    others = [
        warning
        for warning in checked.warnings
        if "no sha256" not in warning and "how large" not in warning
    ]
    assert others == ["The id “causeway” is the bundled catalogue's: no other can be added."]


def test_the_check_survives_what_it_complains_about() -> None:
    (warning,) = check(catalogue_data(sound_entry(), **{"x\u202e\n": 1})).warnings
    assert warning.isprintable()
    for broken in ([], 1, {"entries": 1}, catalogue_data({"artifacts": [1, {"sources": 5}]})):
        assert check(broken).problems
