"""What can be fetched of an entry or a repository: an offer for each quant."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from app.errors import AppError, problem_from
from app.installs import request_for, request_for_hub
from app.quant_choice import Quant, best_quant, quant_of_artifact, quant_of_group
from catalog.catalogues.entries import Entry
from catalog.catalogues.sizes import expected_bytes, expected_group_bytes
from catalog.downloads.wanted import DownloadRequest, DownloadState
from catalog.fit.fit import Fit
from catalog.hub.records import QuantFiles, Repository
from catalog.library import InstalledModel
from ui.background import Cancelled
from ui.models.discover_services import FitSource


class Offer(NamedTuple):
    """A quant. `size` is in bytes, 0 where nobody knows; `extra` that of the projector with it.

    `described` is what the choice among offers depends on.

    `rough` and `exact` take a context in tokens, 0 for the usual one, and `exact` what cancels it;
    both are for a background thread. `checked`: the content's checksum is known before the download.
    """

    quant: str
    described: Quant
    size: int
    size_is_exact: bool
    extra: int
    request: DownloadRequest
    rough: Callable[[int], Fit]
    exact: Callable[[int, Cancelled], Fit]
    checked: bool

    @property
    def download_bytes(self) -> int:
        """All of it; 0 where nobody knows."""
        return self.request.files[0].download_bytes or (self.size + self.extra if self.size else 0)

    @property
    def file_bytes(self) -> int:
        """What it will take on the disk; 0 where nobody knows."""
        return self.size + self.extra if self.size else self.download_bytes

    @property
    def id(self) -> str:
        return self.request.id


def offers_of_entry(entry: Entry, fitting: FitSource) -> tuple[Offer, ...]:
    """One a quant, the smallest first."""
    offers = []
    projector = entry.projector
    extra = expected_bytes(entry, projector)[0] if projector is not None else 0
    for artifact in entry.weights:
        try:
            request = request_for(entry, artifact)
        except AppError:
            continue  # a name under which nothing can be kept
        size, exact = expected_bytes(entry, artifact)
        offers.append(
            Offer(
                artifact.quant,
                quant_of_artifact(entry, artifact),
                size,
                exact,
                extra,
                request,
                partial(fitting.rough, entry, artifact),
                partial(fitting.of_artifact, entry, artifact),
                artifact.sha256 is not None,
            )
        )
    return tuple(sorted(offers, key=lambda offer: offer.size))


def offers_of_repository(
    repository: Repository, projector: QuantFiles | None, fitting: FitSource
) -> tuple[Offer, ...]:
    """One a quant, the smallest first, each with the projector that was chosen."""
    offers = []
    for group in (*repository.quants, *repository.adapters):
        with_it = projector if group in repository.quants else None
        try:
            request = request_for_hub(repository, group, with_it)
        except AppError:
            continue
        size, exact = expected_group_bytes(repository, group)
        offers.append(
            Offer(
                group.quant,
                quant_of_group(repository, group),
                size,
                exact,
                (with_it.size_bytes or 0) if with_it is not None else 0,
                request,
                partial(fitting.rough_of_group, repository, group),
                partial(fitting.of_hub_file, group),
                all(file.sha256 for file in group.files),
            )
        )
    return tuple(sorted(offers, key=lambda offer: offer.size))


def installed_of(offer: Offer, models: Iterable[InstalledModel]) -> InstalledModel | None:
    """The model on this computer that this offer would bring."""
    request = offer.request
    for model in models:
        entry_id = model.entry.id if model.entry is not None else ""
        if entry_id and (entry_id, model.quant) == (request.entry_id, request.quant):
            return model
        if model.path.as_posix().endswith("/" + request.files[0].target):
            return model
    return None


def download_of(offer: Offer, states: Iterable[DownloadState]) -> DownloadState | None:
    """Its download, unless that is done."""
    for state in states:
        if state.request.id == offer.id and state.phase != "done":
            return state
    return None


def rough_fits(offers: Sequence[Offer], n_ctx: int) -> dict[str, Fit]:
    """How each fits, by its id. Blocks for a moment."""
    return {offer.id: offer.rough(n_ctx) for offer in offers if offer.size}


def best_offer(offers: Sequence[Offer], fits: Mapping[str, Fit]) -> Offer | None:
    """The one to begin with, as far as it is known how each fits: by the rule of the command line."""
    models = [offer for offer in offers if offer.request.kind == "model"]
    return best_quant(
        models or offers, lambda offer: offer.described, lambda offer: fits.get(offer.id)
    )


def exact_fit(offer: Offer, n_ctx: int, cancelled: Cancelled) -> Fit | None:
    """Blocks. None where the header can't be had now: the rough one has to do."""
    try:
        return offer.exact(n_ctx, cancelled)
    except Exception as error:
        if problem_from(error) is None:
            raise
        return None
