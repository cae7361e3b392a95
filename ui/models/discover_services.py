"""What Discover asks of the layers below."""

from typing import Protocol

from catalog.adapters.fit import AdapterFit
from catalog.catalogues.entries import Artifact, Entry
from catalog.fit.fit import Fit
from catalog.gguf.header import GgufHeader
from catalog.hub.records import HubPage, HubQuery, QuantFiles, Repository
from catalog.library import InstalledModel
from ui.background import Cancelled


class HubSource(Protocol):
    """Answers after a while, or raises a `CatalogError` in words, also soon after `cancelled` is set:
    for a background thread.
    """

    def search(
        self, query: HubQuery, more: str = "", *, cancelled: Cancelled | None = None
    ) -> HubPage: ...

    def repository(
        self, repo: str, revision: str = "main", *, cancelled: Cancelled | None = None
    ) -> Repository: ...


class FitSource(Protocol):
    """The rough ones go by size alone; the others may read a remote header, and end soon after
    `cancelled` is set. `n_ctx` 0 is the usual one.

    All of them look at the memory that is free now, which takes a while the first time.
    """

    def rough(self, entry: Entry, artifact: Artifact, n_ctx: int = 0) -> Fit: ...

    def rough_of_group(self, repository: Repository, group: QuantFiles, n_ctx: int = 0) -> Fit: ...

    def of_artifact(
        self,
        entry: Entry,
        artifact: Artifact,
        n_ctx: int = 0,
        cancelled: Cancelled | None = None,
    ) -> Fit: ...

    def of_hub_file(
        self, group: QuantFiles, n_ctx: int = 0, cancelled: Cancelled | None = None
    ) -> Fit: ...

    def header_of_artifact(
        self, artifact: Artifact, cancelled: Cancelled | None = None
    ) -> GgufHeader | None: ...

    def header_of_hub_file(
        self, group: QuantFiles, cancelled: Cancelled | None = None
    ) -> GgufHeader: ...


class AdapterSource(Protocol):
    """Compares an adapter with every installed model, by their headers. Blocks."""

    def models_for_header(
        self, header: GgufHeader
    ) -> tuple[tuple[InstalledModel, AdapterFit], ...]: ...
