"""Which quant of a model to take on this computer: one rule for the window and the command line."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from catalog.catalogues.entries import Artifact, Entry
from catalog.catalogues.sizes import bits_per_weight, expected_bytes, expected_group_bytes
from catalog.fit.fit import Fit
from catalog.hub.records import QuantFiles, Repository

_USUAL = ("Q4_K_M", "Q4_K_XL", "MXFP4", "MXFP4_MOE", "Q4_K_S", "Q4_1", "Q4_0")
"""What most people take, first to last: about four bits a weight."""

_LEAST_GOOD_BITS = 4.0
"""With fewer, answers get noticeably worse."""

_MOST_GOOD_BITS = 9.0
"""With more, answers get slower and hardly better."""

_SMALL_BYTES = 1_200_000_000
"""Files up to this size are quick in any case, so the finest quant is worth its size."""

T = TypeVar("T")


class Quant(msgspec.Struct, frozen=True):
    """What the choice depends on, besides the fit. `bits` are per weight, `size_bytes` is of all parts;
    both are 0 where unknown."""

    name: str
    bits: float
    size_bytes: int


class _Rated(NamedTuple):
    quant: Quant
    fit: Fit | None


def best_quant(
    items: Iterable[T], quant_of: Callable[[T], Quant], fit_of: Callable[[T], Fit | None]
) -> T | None:
    """The item that most people want on this computer. None where there is no item.

    Of those that fit, it is the usual one of about four bits; if that is small, the finest small one.
    Where nothing fits, it is one of unknown size, else the smallest. `fit_of` is asked only where
    a size is known. It returns None where it can't tell.
    """
    quants = [(quant_of(item), item) for item in items]
    quants.sort(key=lambda each: (each[0].size_bytes, each[0].bits))
    rated = [
        (_Rated(quant, fit_of(item) if quant.size_bytes else None), item) for quant, item in quants
    ]
    best = _best([each for each, _ in rated])
    return next((item for each, item in rated if each.quant is best), None)


def best_artifact(entry: Entry, fit_of: Callable[[Artifact], Fit]) -> Artifact | None:
    """The file of an entry to take. None where it has none."""
    return best_quant(entry.weights, partial(quant_of_artifact, entry), fit_of)


def best_group(
    repository: Repository, fit_of: Callable[[QuantFiles], Fit | None]
) -> QuantFiles | None:
    """The quant of a repository to take; of one without models, the adapter. None without either."""
    groups = repository.quants or repository.adapters
    return best_quant(groups, partial(quant_of_group, repository), fit_of)


def quant_of_artifact(entry: Entry, artifact: Artifact) -> Quant:
    size, _ = expected_bytes(entry, artifact)
    bits = artifact.bits or bits_per_weight(artifact.quant) or _bits(size, entry.parameters)
    return Quant(artifact.quant, bits, size)


def quant_of_group(repository: Repository, group: QuantFiles) -> Quant:
    size, _ = expected_group_bytes(repository, group)
    parameters = repository.parameters if group in repository.quants else 0
    return Quant(group.quant, bits_per_weight(group.quant) or _bits(size, parameters), size)


def _bits(size: int, parameters: int) -> float:
    return size * 8 / parameters if parameters else 0.0


def _best(rated: Sequence[_Rated]) -> Quant | None:
    fitting = [quant for quant, fit in rated if fit is not None and fit.verdict == "fits"]
    unknown = [quant for quant, fit in rated if fit is None]
    if fitting:
        return _finest_small(_usual(fitting), fitting)
    if unknown:
        return _usual(unknown)
    return rated[0].quant if rated else None


def _usual(quants: Sequence[Quant]) -> Quant:
    """One with a usual name, else one with about as many bits; else the finest of the coarse ones."""
    for wanted in _USUAL:
        for quant in quants:
            if quant.name.upper().removeprefix("UD-") == wanted:
                return quant
    good = [
        each for each in quants if not each.bits or _LEAST_GOOD_BITS <= each.bits <= _MOST_GOOD_BITS
    ]
    coarse = [each for each in quants if 0 < each.bits < _LEAST_GOOD_BITS]
    return good[0] if good else coarse[-1] if coarse else quants[0]


def _finest_small(usual: Quant, fitting: Sequence[Quant]) -> Quant:
    """Among small files the finest, if the usual one is small; else the usual one."""
    if usual.size_bytes > _SMALL_BYTES:
        return usual
    small = [
        each
        for each in fitting
        if each.size_bytes <= _SMALL_BYTES and 0 < each.bits <= _MOST_GOOD_BITS
    ]
    return small[-1] if small else usual
