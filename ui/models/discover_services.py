"""What Discover asks of the layers below."""

from typing import Protocol

from catalog.adapters.fit import AdapterFit
from catalog.catalogues.entries import Artifact, Entry
from catalog.fit.fit import Fit
from catalog.gguf.header import GgufHeader
from catalog.hub.records import HubPage, HubQuery, QuantFiles, Repository
from catalog.library import InstalledModel


class HubSource(Protocol):
    """Answers after a while, or raises a `CatalogError` in words: for a background thread."""

    def search(self, query: HubQuery, more: str = "") -> HubPage: ...

    def repository(self, repo: str, revision: str = "main") -> Repository: ...


class FitSource(Protocol):
    """The rough ones go by size alone; the others may read a remote header. `n_ctx` 0 is the usual one.

    All of them look at the memory that is free now, which takes a while the first time.
    """

    def rough(self, entry: Entry, artifact: Artifact, n_ctx: int = 0) -> Fit: ...

    def rough_of_group(self, repository: Repository, group: QuantFiles, n_ctx: int = 0) -> Fit: ...

    def of_artifact(self, entry: Entry, artifact: Artifact, n_ctx: int = 0) -> Fit: ...

    def of_hub_file(self, group: QuantFiles, n_ctx: int = 0) -> Fit: ...

    def header_of_artifact(self, artifact: Artifact) -> GgufHeader | None: ...

    def header_of_hub_file(self, group: QuantFiles) -> GgufHeader: ...


class AdapterSource(Protocol):
    """Compares an adapter with every installed model, by their headers. Blocks."""

    def models_for_header(
        self, header: GgufHeader
    ) -> tuple[tuple[InstalledModel, AdapterFit], ...]: ...
