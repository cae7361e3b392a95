"""What every benchmark shares: rows of the table, and runs that alternate."""

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Row(msgspec.Struct, frozen=True):
    """One line of the table. `detail` holds the single runs and whatever explains the value."""

    measure: str
    value: float
    unit: str
    target: str
    met: bool
    detail: dict[str, object] = {}


def alternate(contenders: Mapping[str, Callable[[], T]], *, rounds: int = 5) -> dict[str, list[T]]:
    """Run every contender once a round, so that a busy machine slows all of them alike.

    The first round only warms up. Every other round goes backwards.
    """
    results: dict[str, list[T]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        order = list(contenders)
        for name in order if turn % 2 else reversed(order):
            gc.collect()
            value = contenders[name]()
            if turn:
                results[name].append(value)
    return results


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0…1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
