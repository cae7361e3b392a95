"""Adapters: which ones suit a model, and what a chat's stack comes to when it is asked."""

from collections.abc import Callable, Sequence

import msgspec

from app.conversations.records import UsedAdapter
from app.models import ChatModel
from app.options.adapter_stack import StackedAdapter
from backends.protocol import AppliedAdapter
from catalog.adapters.facts import AdapterFacts, adapter_facts
from catalog.adapters.fit import AdapterFit, adapter_fit
from catalog.errors import CatalogError
from catalog.gguf.files import GgufHeader
from catalog.gguf.kept_header import kept_header
from catalog.library import InstalledModel, Library


class AdapterChoice(msgspec.Struct, frozen=True):
    adapter: InstalledModel
    fit: AdapterFit


class AdapterGlance(msgspec.Struct, frozen=True):
    """What a list says of an adapter: its rank in words, and how many installed models it fits."""

    rank: str
    n_fitting: int


class AppliedStack(msgspec.Struct, frozen=True):
    """What of a stack goes into an answer; `left_out` says in sentences what doesn't, and why."""

    applied: tuple[AppliedAdapter, ...] = ()
    used: tuple[UsedAdapter, ...] = ()
    left_out: tuple[str, ...] = ()


class Adapters:
    """Reads the headers of models and adapters, so it blocks; from any thread."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def for_model(self, model: InstalledModel) -> tuple[AdapterChoice, ...]:
        """Every installed adapter, those that fit the model first."""
        choices = [AdapterChoice(each, self.fit(each, model)) for each in self._library.adapters()]
        return tuple(sorted(choices, key=lambda choice: not choice.fit.fits))

    def models_for(self, adapter: InstalledModel) -> tuple[tuple[InstalledModel, AdapterFit], ...]:
        """Every installed model, those that the adapter fits first."""
        return self._fitting_first(lambda model: self.fit(adapter, model))

    def models_for_header(
        self, header: GgufHeader
    ) -> tuple[tuple[InstalledModel, AdapterFit], ...]:
        """As `models_for`, of an adapter that is not on this computer."""
        return self._fitting_first(lambda model: self._fit(header, model))

    def glance(self, adapter: InstalledModel) -> AdapterGlance:
        """Raises `CatalogError` where the file can't be read."""
        header = self._headers_of(adapter)[0]
        fitting = sum(fit.fits for _, fit in self.models_for_header(header))
        return AdapterGlance(adapter_facts(header).rank_text, fitting)

    def facts(self, adapter: InstalledModel) -> AdapterFacts:
        """Raises `CatalogError` where the file can't be read."""
        return adapter_facts(self._headers_of(adapter)[0])

    def fit(self, adapter: InstalledModel, model: InstalledModel) -> AdapterFit:
        """Whether the adapter can be applied to the model; a file that can't be read fits none."""
        try:
            return self._fit(self._headers_of(adapter)[0], model)
        except CatalogError as error:
            return AdapterFit(fits=False, reason=str(error))

    def _fitting_first(
        self, fit_of: Callable[[InstalledModel], AdapterFit]
    ) -> tuple[tuple[InstalledModel, AdapterFit], ...]:
        pairs = [(model, fit_of(model)) for model in self._library.models()]
        return tuple(sorted(pairs, key=lambda pair: not pair[1].fits))

    def _fit(self, header: GgufHeader, model: InstalledModel) -> AdapterFit:
        try:
            return adapter_fit(header, self._headers_of(model))
        except CatalogError as error:
            return AdapterFit(fits=False, reason=str(error))

    def applied(self, stack: Sequence[StackedAdapter], model: ChatModel) -> AppliedStack:
        """What the stack comes to with a model: who is gone, doesn't fit, or is muted is left out."""
        if not isinstance(model, InstalledModel):
            left = (f"{model.source} takes no adapters, so they were left out.",)
            return AppliedStack(left_out=left if any(not each.muted for each in stack) else ())
        applied: list[AppliedAdapter] = []
        used: list[UsedAdapter] = []
        left_out: list[str] = []
        for each in stack:
            if each.muted or each.scale == 0:
                continue
            try:
                adapter = self._library.find_adapter(each.adapter)
            except CatalogError:
                left_out.append(f"The adapter {each.adapter} is gone, and was left out.")
                continue
            fit = self.fit(adapter, model)
            if not fit.fits:
                left_out.append(f"The adapter {adapter.name} was left out. {fit.reason}")
                continue
            applied.append(AppliedAdapter(str(adapter.path), each.scale))
            digest = adapter.sha256 or self._library.digest(adapter)
            used.append(UsedAdapter(adapter.id, adapter.name, digest, each.scale))
        return AppliedStack(tuple(applied), tuple(used), tuple(left_out))

    def _headers_of(self, model: InstalledModel) -> tuple[GgufHeader, ...]:
        return tuple(kept_header(path) for path in self._library.files(model))
