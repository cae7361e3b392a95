"""What the tests of one file's download share."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.catalogues.entries import Artifact, HubFile, Source, Url
from catalog.downloads.fetch import FetchedFile, fetch_file
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.wanted import WantedFile
from catalog.network import Network
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile
from catalog.retries import Patience
from tests.catalog.file_server import FileServer

HASTY = Patience(
    connect_seconds=2, read_seconds=0.5, attempts=4, attempts_under_way=4, pause_seconds=0.01
)
NAME = "model.bin"


def no_hub(file: HubFile) -> RemoteFile:
    raise AssertionError("the Hub was asked")


def wanted_from(
    *sources: Source | FileServer, sha256: str | None = None, size: int | None = None
) -> WantedFile:
    return WantedFile(
        sources=tuple(
            Url(source.address(NAME)) if isinstance(source, FileServer) else source
            for source in sources
        ),
        target=f"owner/name/{NAME}",
        sha256=sha256,
        size_bytes=size,
    )


def wanted_of(artifact: Artifact) -> WantedFile:
    """An artifact of a catalogue, to be kept under its own name."""
    return WantedFile(
        sources=artifact.sources,
        target=artifact.file_name,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        download_bytes=artifact.download_bytes,
    )


def get(
    wanted: WantedFile,
    folder: Path,
    *,
    network: Network | Callable[[], Network] | None = None,
    resolve: Callable[[HubFile], RemoteFile] = no_hub,
    on_progress: Callable[[DownloadProgress], None] = lambda progress: None,
    cancelled: threading.Event | None = None,
    patience: Patience = HASTY,
    connections: int = 4,
    bytes_per_second: int = 0,
) -> FetchedFile:
    return fetch_file(
        wanted,
        folder,
        network=network or Network(),
        resolve=resolve,
        limiter=RateLimiter(lambda: bytes_per_second),
        on_progress=on_progress,
        cancelled=cancelled or threading.Event(),
        patience=patience,
        connections=connections,
    )


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def starts(ranges: Sequence[str]) -> list[int]:
    """Where each of the ranges begins that were asked for."""
    return [int(each.removeprefix("bytes=").partition("-")[0] or 0) for each in ranges]
