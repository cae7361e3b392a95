"""What the library says of each model on this computer."""

from pathlib import Path
from typing import Literal

import msgspec

from catalog.catalogues.entries import Entry
from catalog.errors import CatalogError

ModelKind = Literal["chat", "completion", "embedding", "adapter"]
PlaceKind = Literal[
    "own", "added", "folder", "lm_studio", "gpt4all", "ollama", "hub_cache", "llama_cpp"
]


class InstalledModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be loaded from `path`, or an adapter for one.

    `managed`: it lies in our models folder, so that removing it deletes its files; one that was added
    is only forgotten, and what other programs keep stays theirs. `size_bytes` is of all its parts,
    `context_length` in tokens (0: not known), `parameters` counted from the file (0: not known).
    `place` says by whom it was found. `base` is what it was made from or, for an adapter, for.
    `template` is the Jinja text that the catalogue gives it instead of the file's own.
    `projector` gives it eyes or ears. `sha256`, of the file at `path`, is empty until somebody has
    computed it, a download has, or its place names it. `also_at`: other files of the same content.
    """

    id: str
    name: str
    path: Path
    size_bytes: int
    quant: str
    architecture: str
    context_length: int
    has_template: bool
    managed: bool
    entry: Entry | None
    kind: ModelKind = "chat"
    place: PlaceKind = "own"
    parameters: int = 0
    projector: Path | None = None
    template: str = ""
    base: str = ""
    sha256: str = ""
    also_at: tuple[Path, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it answers with text: a model for search or an adapter does not."""
        return self.kind in ("chat", "completion")


class LibraryProblem(msgspec.Struct, frozen=True, eq=False):
    """A file or folder that can't be used, and the reason in words, by which it equals another."""

    path: Path
    error: CatalogError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LibraryProblem) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    @property
    def _said(self) -> tuple[Path, str]:
        return self.path, str(self.error)
