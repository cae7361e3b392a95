"""A sequence in the context, and the cells that its tokens lie in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from backends.llama_cpp.parked import StackKey
from backends.llama_cpp.state_format import Answer


@dataclass(eq=False, slots=True)
class Live:
    """A sequence in the context. `cells` are the places of its tokens, some shared with others.

    One that is `apart` is of no use once it has been read: it is never kept. `notes` say of each token
    how it was computed, as in `reading_plan`. It is `orderly` while its tokens lie in the first cells
    of the context, one after the other.
    """

    slot: int
    key: StackKey
    tokens: list[int]
    cells: list[int]
    answers: tuple[Answer, ...] = ()
    busy: bool = True
    apart: bool = False
    last_used: int = 0
    notes: bytearray = field(default_factory=bytearray)
    orderly: bool = False


def cells_of(sequences: Sequence[Live]) -> int:
    """Cells that the sequences take together: they share only what they begin with."""
    total = 0
    for i, live in enumerate(sequences):
        shared = max((overlap(live, other) for other in sequences[:i]), default=0)
        total += len(live.cells) - shared
    return total


def overlap(one: Live, other: Live) -> int:
    """How many cells two sequences share; found by halving, as those are their first."""
    low, high = 0, min(len(one.cells), len(other.cells))
    while low < high:
        middle = (low + high + 1) // 2
        if one.cells[middle - 1] == other.cells[middle - 1]:
            low = middle
        else:
            high = middle - 1
    return low
