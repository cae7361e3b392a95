"""What Discover asks of the layers below."""

from typing import Protocol

from catalog.entries import Artifact, Entry
from catalog.fit import Fit
from catalog.hub.records import HubPage, HubQuery, QuantFiles, Repository


class HubSource(Protocol):
    """Answers after a while, or raises a `CatalogError` in words: for a background thread."""

    def search(self, query: HubQuery, more: str = "") -> HubPage: ...

    def repository(self, repo: str, revision: str = "main") -> Repository: ...


class FitSource(Protocol):
    """`rough` answers at once; the others may read a remote header: for a background thread."""

    def rough(self, entry: Entry, artifact: Artifact) -> Fit: ...

    def of_artifact(self, entry: Entry, artifact: Artifact, n_ctx: int = 0) -> Fit: ...

    def of_hub_file(self, group: QuantFiles, n_ctx: int = 0) -> Fit: ...
