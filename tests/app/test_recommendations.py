from app.recommendations import Choice, best_of_family, choose, good_here
from catalog.catalogues.entries import Artifact, Entry, HubFile, Licence
from catalog.fit.fit import Fit
from catalog.fit.memory_estimate import MemoryEstimate

GB = 10**9


def entry(name: str, size: int = 1, *, family: str = "", **more: object) -> Entry:
    fields: dict[str, object] = {
        "id": name,
        "name": name,
        "family": family or name,
        "kind": "chat",
        "licence": Licence("MIT"),
        "summary": "",
        "artifacts": (
            Artifact(
                role="weights",
                quant="Q4_K_M",
                sources=(HubFile("o/n", f"{name}.gguf"),),
                size_bytes=size * GB,
            ),
        ),
    }
    return Entry(**(fields | more))  # type: ignore[arg-type]


def fit_of(entry: Entry, artifact: Artifact) -> Fit:
    """Eight gigabytes are there, and five are read quickly enough."""
    size = artifact.size_bytes or 0
    return Fit(
        verdict="fits" if size <= 8 * GB else "too_large",
        parts=MemoryEstimate(size, 0, 0),
        free=8 * GB,
        n_ctx=1,
        speed="slow" if size > 5 * GB else "fast",
    )


def good(*entries: Entry) -> list[str]:
    return [each.id for each in good_here(entries, choose(entries, fit_of))]


def test_the_largest_that_is_quick_comes_first_and_the_slow_ones_last():
    assert good(entry("tiny", 1), entry("slow", 7), entry("slower", 8), entry("quick", 5)) == [
        "quick",
        "tiny",
        "slow",
        "slower",
    ]


def test_each_family_has_its_turn_before_the_second_of_any():
    family = {"family": "Q"}
    assert good(entry("q4", 4, **family), entry("q3", 3, **family), entry("other", 1)) == [
        "q4",
        "other",
        "q3",
    ]


def test_what_does_not_fit_is_history_or_can_t_chat_is_not_offered_first():
    assert good(
        entry("large", 9),
        entry("old", published="2023-03-13"),
        entry("finder", kind="embedding"),
        entry("none", artifacts=()),
        entry("good", published="2025-01-20"),
    ) == ["good"]


def test_of_a_family_the_largest_that_fits_stands_for_all():
    family = [entry("s", 2), entry("m", 6), entry("l", 9), entry("none", artifacts=())]
    choices = choose(family, fit_of)
    assert best_of_family(family, choices).id == "m"
    assert best_of_family(family[2:], choices).id == "l"
    assert best_of_family(family[3:], choices).id == "none"


def test_a_choice_is_the_best_quant_and_its_fit():
    (each,) = entries = [entry("one", 3)]
    artifact = each.artifacts[0]
    assert choose(entries, fit_of) == {"one": Choice(artifact, fit_of(each, artifact))}
