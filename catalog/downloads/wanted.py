"""What the download queue is asked to get, and what it says of it."""

from typing import Literal

import msgspec

from catalog.catalogues.entries import Role, Source
from catalog.progress import Stage

Phase = Literal["waiting", "running", "paused", "failed", "done"]


class WantedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to fetch, and where it goes: `target` is a relative path with slashes, checked again
    before anything is written. The first of `sources` that works is used.

    `size_bytes` and `sha256` are None where unknown; a source may know them.
    """

    sources: tuple[Source, ...]
    target: str
    role: Role = "weights"
    size_bytes: int | None = None
    sha256: str | None = None
    download_bytes: int | None = None


class DownloadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person asked for: a model with all its parts and its projector, or an adapter.

    `id` is the same for the same thing: "smollm2-135m-instruct:Q4_1", "hub:OWNER/NAME:Q4_K_M". `ref` is what
    `causeway pull` takes. `entry_id` is empty for what no catalogue describes. The first of
    `files` is what gets loaded.
    """

    id: str
    ref: str
    title: str
    quant: str
    files: tuple[WantedFile, ...]
    entry_id: str = ""
    licence: str = ""
    kind: Literal["model", "adapter"] = "model"


class DownloadProblem(msgspec.Struct, frozen=True):
    what: str
    why: str = ""
    fix: str = ""


class DownloadState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a download is. Bytes `done` of `total` (None: unknown) are of all its files together.

    `seconds_left` is None while unknown; `finished_at` and `added_at` are Unix seconds. `elsewhere`:
    another process is fetching it. `note` says in words what holds it up just now. `path` is the file
    to load, once it is "done".
    """

    request: DownloadRequest
    phase: Phase
    added_at: float
    stage: Stage = "finding"
    done: int = 0
    total: int | None = None
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    problem: DownloadProblem | None = None
    path: str = ""
    finished_at: float = 0.0
    elsewhere: bool = False
    note: str = ""

    @property
    def file_amounts(self) -> tuple[int, int | None]:
        """`done` and `total` as bytes of the files: a package has them packed, and is smaller."""
        whole = sum(file.size_bytes or file.download_bytes or 0 for file in self.request.files)
        packed = any(file.download_bytes for file in self.request.files)
        if not packed or not self.total:
            return self.done, self.total
        return round(self.done * whole / self.total), whole
