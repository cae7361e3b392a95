"""What to offer a person of a catalogue, on this computer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from app.quant_choice import best_artifact
from catalog.catalogues.entries import Artifact, Entry
from catalog.fit.fit import Fit

_MODERN = "2024"
"""Models that appeared before are history: they are offered where the road is told, not as a first choice."""


class Choice(NamedTuple):
    """The quant that most people want of an entry here, and whether it fits."""

    artifact: Artifact
    fit: Fit


Choices = Mapping[str, Choice]
"""By the entry's id. An entry without a file has none."""


def choose(entries: Iterable[Entry], fit_of: Callable[[Entry, Artifact], Fit]) -> dict[str, Choice]:
    """The choice of each entry that has a file."""
    choices = {}
    for entry in entries:
        artifact = best_artifact(entry, partial(fit_of, entry))
        if artifact is not None:
            choices[entry.id] = Choice(artifact, fit_of(entry, artifact))
    return choices


def good_here(entries: Iterable[Entry], choices: Choices) -> tuple[Entry, ...]:
    """What fits, best first; one of each family comes before the second of any.

    What answers quickly enough is the better the larger it is; of the slow, the smallest first.
    """
    fitting = [
        entry
        for entry in entries
        if entry.kind in ("chat", "vision")
        and not "" < entry.published < _MODERN
        and entry.id in choices
        and choices[entry.id].fit.verdict == "fits"
    ]

    def merit(entry: Entry) -> tuple[bool, int]:
        fit = choices[entry.id].fit
        slow = fit.speed == "slow"
        return slow, fit.parts.weights if slow else -fit.parts.weights

    rounds: dict[str, int] = {}
    places = []
    for entry in sorted(fitting, key=merit):
        rounds[entry.family] = rounds.get(entry.family, 0) + 1
        places.append((merit(entry)[0], rounds[entry.family], entry))
    return tuple(entry for *_, entry in sorted(places, key=lambda place: place[:2]))


def best_of_family(entries: Sequence[Entry], choices: Choices) -> Entry:
    """Of a family the largest that fits, else the smallest that can be run, else the first."""
    able = sorted(
        (entry for entry in entries if entry.id in choices),
        key=lambda entry: choices[entry.id].fit.needed,
    )
    fitting = [entry for entry in able if choices[entry.id].fit.verdict == "fits"]
    return fitting[-1] if fitting else able[0] if able else entries[0]
