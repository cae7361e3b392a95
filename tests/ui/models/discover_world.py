"""A small catalogue, a Hub that answers when told, and fits that go by size alone."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app.machine import Machine
from catalog.catalogues.entries import Artifact, Collection, Entry, HubFile, Kind, Licence, Status
from catalog.downloads.wanted import DownloadRequest, DownloadState, Phase
from catalog.errors import CatalogError
from catalog.fit.fit import Fit, Memory, MemoryEstimate
from catalog.gguf.header import GgufHeader
from catalog.hub.records import (
    FoundRepository,
    HubPage,
    HubQuery,
    QuantFiles,
    Repository,
    RepositoryFile,
)
from catalog.library import InstalledModel

GB = 1_000_000_000
_BITS = {"Q4_K_M": 4.85, "Q5_K_M": 5.7, "Q6_K": 6.6, "Q8_0": 8.5}

COLLECTIONS = (
    Collection(id="road", title="The road", summary="How it went."),
    Collection(id="small", title="Small ones"),
)


def artifact(name: str, quant: str, size: int, sha256: str | None = None) -> Artifact:
    source = HubFile(f"maker/{name}-GGUF", f"{name}-{quant}.gguf")
    return Artifact(
        role="weights",
        quant=quant,
        bits=_BITS[quant],
        sources=(source,),
        size_bytes=size,
        sha256=sha256,
    )


def entry(
    name: str,
    sizes: Sequence[float] = (4.7,),
    *,
    family: str = "",
    collection: str = "small",
    kind: Kind = "chat",
    licence: Licence | None = None,
    status: Status = "ready",
    published: str = "",
    showed: str = "",
    capabilities: tuple[str, ...] = (),
    obstacle: str = "",
    context: int = 32768,
    url: str = "",
) -> Entry:
    quants = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
    return Entry(
        id=name.lower().replace(" ", "-"),
        name=name,
        family=family or name,
        kind=kind,
        licence=licence or Licence("MIT", "https://licences.example/mit"),
        summary=f"What {name} is",
        artifacts=tuple(
            artifact(name.replace(" ", "-"), quant, int(size * GB))
            for quant, size in zip(quants, sizes, strict=False)
        ),
        parameters=int(max(sizes, default=1) * 1.6 * GB),
        context=context,
        collection=collection,
        status=status,
        published=published,
        showed=showed,
        capabilities=capabilities,
        obstacle=obstacle,
        url=url,
    )


PLOVER = entry("Plover", (4.7, 5.4, 6.3, 8.1), capabilities=("reasoning",))
TERN = entry("Tern", (0.6, 0.8), capabilities=("vision",))
ALBATROSS = entry("Albatross", (40.0,))
TERMS = entry("Terms", (2.0,), licence=Licence("gemma", "https://licences.example/g", accept=True))
OLD_7B = entry(
    "Old 7B", (4.0,), family="Old", collection="road", published="2023-02-24", showed="Small does."
)
OLD_65B = entry(
    "Old 65B", (38.0,), family="Old", collection="road", published="2023-02-24", showed="Large too."
)
RAW = entry(
    "Raw",
    (),
    collection="road",
    published="2023-03-28",
    showed="All was open: even the recipe.",
    status="needs_conversion",
    obstacle="It is a PyTorch file only.",
    url="https://pages.example/raw",
)
ENTRIES = (PLOVER, TERN, ALBATROSS, TERMS, OLD_7B, OLD_65B, RAW)


def machine(free: int = 10 * GB, disk_free: int = 100 * GB) -> Machine:
    memory = Memory(free=free, total=16 * GB, bandwidth=20e9)
    return Machine(memory=memory, cores=8, disk_free=disk_free)


class SizeFits:
    """Needs a tenth more than the file; whatever is asked exactly needs one gigabyte on top."""

    def __init__(self, free: int = 10 * GB) -> None:
        self.free = free
        self.exact_asked: list[tuple[str, int]] = []
        self.problem: CatalogError | None = None

    def rough(self, entry: Entry, artifact: Artifact, n_ctx: int = 0) -> Fit:
        return self._fit(artifact.size_bytes or 0, n_ctx)

    def rough_of_group(self, repository: Repository, group: QuantFiles, n_ctx: int = 0) -> Fit:
        return self._fit(group.size_bytes or 0, n_ctx)

    def of_artifact(
        self,
        entry: Entry,
        artifact: Artifact,
        n_ctx: int = 0,
        cancelled: threading.Event | None = None,
    ) -> Fit:
        return self._exact(artifact.quant, artifact.size_bytes or 0, n_ctx)

    def of_hub_file(
        self, group: QuantFiles, n_ctx: int = 0, cancelled: threading.Event | None = None
    ) -> Fit:
        return self._exact(group.quant, group.size_bytes or 0, n_ctx)

    def header_of_artifact(
        self, artifact: Artifact, cancelled: threading.Event | None = None
    ) -> GgufHeader | None:
        return None

    def header_of_hub_file(
        self, group: QuantFiles, cancelled: threading.Event | None = None
    ) -> GgufHeader:
        raise CatalogError("There is no network.")

    def _exact(self, quant: str, size: int, n_ctx: int) -> Fit:
        self.exact_asked.append((quant, n_ctx))
        if self.problem is not None:
            raise self.problem
        return self._fit(size, n_ctx, working=GB, exact=True)

    def _fit(self, size: int, n_ctx: int, working: int = 0, *, exact: bool = False) -> Fit:
        n_ctx = n_ctx or 8192
        parts = MemoryEstimate(size, size // 10 * n_ctx // 8192, working)
        fits = parts.total <= 0.9 * self.free
        verdict = "fits" if fits else "tight" if parts.total <= 1.4 * self.free else "too_large"
        return Fit(
            verdict=verdict, parts=parts, free=self.free, n_ctx=n_ctx, exact=exact, speed="readable"
        )


class ScriptedHub:
    """Answers with `pages` for every text, one after the other; `gate` holds answers back, and `held`
    what is said of repositories, which were `asked` for.
    """

    def __init__(self, *pages: Sequence[FoundRepository]) -> None:
        self.pages = pages
        self.queries: list[tuple[HubQuery, str]] = []
        self.cancelled: list[HubQuery] = []
        self.asked: list[str] = []
        self.held: threading.Event | None = None
        self.problem: CatalogError | None = None
        self.gate: Callable[[HubQuery], threading.Event | None] = lambda query: None
        self.repositories: dict[str, Repository] = {}

    def search(
        self, query: HubQuery, more: str = "", *, cancelled: threading.Event | None = None
    ) -> HubPage:
        self.queries.append((query, more))
        event = self.gate(query)
        if event is not None:
            _wait_for(event, cancelled)
            if cancelled is not None and cancelled.is_set():
                self.cancelled.append(query)
                raise CatalogError("It was cancelled.")
        if self.problem is not None:
            raise self.problem
        place = int(more or 0)
        found = self.pages[place] if place < len(self.pages) else ()
        following = str(place + 1) if place + 1 < len(self.pages) else ""
        return HubPage(found=tuple(found), more=following)

    def repository(
        self, repo: str, revision: str = "main", *, cancelled: threading.Event | None = None
    ) -> Repository:
        self.asked.append(repo)
        if self.held is not None:
            _wait_for(self.held, cancelled)
        if cancelled is not None and cancelled.is_set():
            raise CatalogError("It was cancelled.")
        if self.problem is not None:
            raise self.problem
        return self.repositories[repo]


def _wait_for(event: threading.Event, cancelled: threading.Event | None) -> None:
    for _ in range(500):
        if event.wait(0.02) or (cancelled is not None and cancelled.is_set()):
            return


def found(name: str, parameters: float = 7, **more: object) -> FoundRepository:
    values = {"downloads": 12_345, "licence": "apache-2.0", **more}
    return FoundRepository(repo=f"maker/{name}", parameters=int(parameters * GB), **values)


def group(quant: str, size: float | None, name: str = "model") -> QuantFiles:
    source = HubFile("maker/model-GGUF", f"{name}-{quant}.gguf")
    size_bytes = None if size is None else int(size * GB)
    return QuantFiles(
        quant=quant, files=(RepositoryFile(source=source, size_bytes=size_bytes, sha256="a" * 64),)
    )


def repository(**more: object) -> Repository:
    values = {
        "repo": "maker/model-GGUF",
        "commit": "c0ffee",
        "url": "https://hub.example/maker/model-GGUF",
        "licence": "apache-2.0",
        "quants": (group("Q4_K_M", 4.7), group("Q8_0", 8.1)),
        **more,
    }
    return Repository(**values)


def installed(entry: Entry, quant: str = "Q4_K_M") -> InstalledModel:
    name = entry.name.replace(" ", "-")
    return InstalledModel(
        id=f"{entry.id}-{quant.lower()}",
        name=entry.name,
        path=Path("/models/maker") / f"{name}-GGUF" / f"{name}-{quant}.gguf",
        size_bytes=int(4.7 * GB),
        quant=quant,
        architecture="llama",
        context_length=8192,
        has_template=True,
        managed=True,
        entry=entry,
    )


def download(request: DownloadRequest, phase: Phase = "running", **more: object) -> DownloadState:
    values = {"done": GB, "total": 4 * GB, "stage": "downloading", **more}
    return DownloadState(request=request, phase=phase, added_at=1.0, **values)
