"""Whether a model fits this computer: before the download, or where it lies."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from app.machine import Machine
from backends.protocol import DEFAULT_CONTEXT
from catalog.catalogues.entries import Artifact, Entry, HubFile, Package, Url
from catalog.catalogues.sizes import expected_bytes, expected_group_bytes
from catalog.fit.fit import Fit, Memory, fit, rough_fit
from catalog.gguf.files import GgufHeader
from catalog.gguf.kept_header import kept_header
from catalog.hub.records import QuantFiles, Repository
from catalog.library import InstalledModel
from catalog.network import Network
from catalog.remote_file import RemoteFile

_HEADERS_FOLDER = "headers"


class Resolve(Protocol):
    """Where a file of the Hub can be fetched; ends soon after `cancelled` is set."""

    def __call__(
        self, file: HubFile, *, cancelled: threading.Event | None = None
    ) -> RemoteFile: ...


class Fitting:
    """Judges models against the computer as it is now. May be used from any thread.

    `machine` looks at the computer, which may take a moment; `latest` tells at once what is known of it.
    `freed` is how many bytes come free when the model in memory makes room for another.
    Everywhere `n_ctx` 0 means what a chat is set up with unasked: 8,192 tokens, or fewer where the
    model was made for fewer.
    """

    def __init__(
        self,
        resolve: Resolve,
        cache_folder: Path,
        network: Callable[[], Network],
        machine: Callable[[], Machine],
        latest: Callable[[], Machine] | None = None,
        freed: Callable[[], int] = lambda: 0,
    ) -> None:
        self._resolve = resolve
        self._headers_folder = cache_folder / _HEADERS_FOLDER
        self._network = network
        self._machine = machine
        self._latest = latest or machine
        self._freed = freed

    def size_of(self, entry: Entry, artifact: Artifact) -> tuple[int, bool]:
        """Bytes of a file of the catalogue, and whether that is exact; 0 where nobody knows."""
        return expected_bytes(entry, artifact)

    def rough(self, entry: Entry, artifact: Artifact, n_ctx: int = 0) -> Fit:
        """By size alone, at once and offline: for lists."""
        size, _ = expected_bytes(entry, artifact)
        parameters = entry.parameters if artifact.role == "weights" else 0
        return self._rough(parameters, size, n_ctx, entry.context)

    def rough_of_group(self, repository: Repository, group: QuantFiles, n_ctx: int = 0) -> Fit:
        """By size alone, at once and offline."""
        parameters = repository.parameters if group in repository.quants else 0
        size, _ = expected_group_bytes(repository, group)
        return self._rough(parameters, size, n_ctx, repository.context)

    def of_artifact(
        self,
        entry: Entry,
        artifact: Artifact,
        n_ctx: int = 0,
        cancelled: threading.Event | None = None,
    ) -> Fit:
        """By the header of the file on its server. Blocks.

        A file inside of a package can't be looked into from afar: that is judged by its size.
        Raises `CatalogError`s in words.
        """
        size, _ = expected_bytes(entry, artifact)
        known = self._artifact_header(artifact, cancelled)
        if known is None:
            return self.rough(entry, artifact, n_ctx)
        header, total = known
        return self._exact(header, size or total or 0, n_ctx)

    def header_of_artifact(
        self, artifact: Artifact, cancelled: threading.Event | None = None
    ) -> GgufHeader | None:
        """The header of the file on its server; None of one inside of a package. Blocks.

        Raises `CatalogError`s in words.
        """
        known = self._artifact_header(artifact, cancelled)
        return known[0] if known is not None else None

    def header_of_hub_file(
        self, group: QuantFiles, cancelled: threading.Event | None = None
    ) -> GgufHeader:
        """The header of the first file of a quant on the Hub. Blocks. Raises `CatalogError`s."""
        first = group.files[0]
        return self._header(first.source, first.sha256, cancelled)[0]

    def of_hub_file(
        self, group: QuantFiles, n_ctx: int = 0, cancelled: threading.Event | None = None
    ) -> Fit:
        """By the header of the first file of a quant on the Hub. Blocks. Raises `CatalogError`s."""
        first = group.files[0]
        header, total = self._header(first.source, first.sha256, cancelled)
        return self._exact(header, group.size_bytes or total or 0, n_ctx)

    def of_model(self, model: InstalledModel, n_ctx: int = 0) -> Fit:
        """By the header of an installed file. Reads it. Raises `BadModelFile`."""
        return self._exact(kept_header(model.path), model.size_bytes, n_ctx)

    def of_size(self, model: InstalledModel, size_bytes: int, n_ctx: int = 0) -> Fit:
        """As `of_model`, if the file had that size: with its weights stored in another way."""
        return self._exact(kept_header(model.path), size_bytes, n_ctx)

    def _rough(self, parameters: int, size: int, n_ctx: int, context: int) -> Fit:
        room = self._room(self._latest())
        return rough_fit(parameters, size, n_ctx or _usual(context), room, longest=context)

    def _exact(self, header: GgufHeader, weights_bytes: int, n_ctx: int) -> Fit:
        wanted = n_ctx or _usual(header.context_length)
        return fit(header, weights_bytes or header.end, wanted, self._room(self._machine()))

    def _room(self, machine: Machine) -> Memory:
        memory = machine.memory
        freed = self._freed()
        if memory.vram_total:
            free = min(memory.vram_free + freed, memory.vram_total)
            return msgspec.structs.replace(memory, vram_free=free)
        return msgspec.structs.replace(memory, free=min(memory.free + freed, memory.total))

    def _artifact_header(
        self, artifact: Artifact, cancelled: threading.Event | None
    ) -> tuple[GgufHeader, int | None] | None:
        match artifact.sources[0]:
            case HubFile() as source:
                return self._header(source, artifact.sha256, cancelled)
            case Url(url):
                remote = RemoteFile(url=url, sha256=artifact.sha256, size=artifact.size_bytes)
                return self._remote_header(remote, cancelled), remote.size
            case Package():
                return None

    def _header(
        self, source: HubFile, sha256: str | None, cancelled: threading.Event | None
    ) -> tuple[GgufHeader, int | None]:
        """The header, and the size of that one file where the Hub had to be asked."""
        from catalog.gguf.remote_header import known_header  # not needed for the first window

        known = known_header(sha256, self._headers_folder) if sha256 else None
        if known is not None:
            return known, None
        remote = self._resolve(source, cancelled=cancelled)
        return self._remote_header(remote, cancelled), remote.size

    def _remote_header(self, remote: RemoteFile, cancelled: threading.Event | None) -> GgufHeader:
        from catalog.gguf.remote_header import read_remote_header

        return read_remote_header(
            remote,
            self._headers_folder,
            network=self._network(),
            cancelled=cancelled or threading.Event(),
        )


def _usual(context: int) -> int:
    return min(context or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
