"""Getting a file onto this computer, from the first of its sources that works."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from catalog.catalogues.entries import HubFile
from catalog.downloads.package_index import resolve_index_url
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.targets import (
    LocalProblem,
    checked_target,
    in_words,
    occupied,
    package_part_path,
    part_path,
    put_in_place,
    sha256_of,
)
from catalog.downloads.wanted import WantedFile
from catalog.errors import CatalogError, DownloadCancelled
from catalog.lock_file import locked
from catalog.network import Network
from catalog.progress import DownloadProgress, Meter
from catalog.remote_file import RemoteFile

if TYPE_CHECKING:
    from catalog.downloads.sources import Fetching
    from catalog.retries import Patience

__all__ = [
    "DownloadProgress",
    "FetchedFile",
    "discard_partial",
    "fetch_file",
    "fetched_bytes",
    "resolve_index_url",
]


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
    called on this thread, about ten times a second. `network` is read anew at each try, and a
    change of it breaks a running one off. Raises `DownloadError`, the `CatalogError`s of `resolve`,
    or `DownloadCancelled`.
    """
    meter = Meter(on_progress)
    target = checked_target(wanted.target, folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)

        def report_the_other() -> None:
            done = fetched_bytes(wanted, folder)
            total = wanted.download_bytes or wanted.size_bytes
            meter.report("downloading", done, total, elsewhere=True)

        with locked(target.with_name(f"{target.name}.lock"), cancelled, report_the_other):
            if target.exists():
                described = _as_the_hub_has_it(wanted, resolve)
                there = _what_is_there(described, target, meter, cancelled)
                discard_partial(wanted, folder)
                return there
            # Imported here since they take 0.3 s, which the start of the window can't spare.
            from catalog.downloads.sources import Fetching
            from catalog.downloads.transfer import Circumstances
            from catalog.retries import Patience

            now: Callable[[], Network] = network if callable(network) else lambda: network
            circumstances = Circumstances(
                network=now,
                limiter=limiter,
                patience=patience or Patience(),
                cancelled=cancelled,
                connections=connections,
            )
            return _from_the_first(Fetching(wanted, target, circumstances, meter, resolve), target)
    except OSError as error:
        raise in_words(error, folder) from error


def fetched_bytes(wanted: WantedFile, folder: Path) -> int:
    """Bytes of an interrupted download that lie in `folder`; 0 where there is none."""
    from catalog.downloads.part_file import saved_bytes

    return sum(saved_bytes(path) for path in _parts(wanted, folder))


def discard_partial(wanted: WantedFile, folder: Path) -> None:
    """Delete what an interrupted download left in `folder`."""
    from catalog.downloads.part_file import discard

    for path in _parts(wanted, folder):
        discard(path)


def _parts(wanted: WantedFile, folder: Path) -> tuple[Path, Path]:
    target = checked_target(wanted.target, folder)
    return part_path(target), package_part_path(target)


def _as_the_hub_has_it(wanted: WantedFile, resolve: Callable[[HubFile], RemoteFile]) -> WantedFile:
    """What is wanted, with what the Hub knows of it: files of one name may lie in folders there."""
    source = wanted.sources[0]
    if wanted.sha256 is not None or not isinstance(source, HubFile):
        return wanted
    try:
        remote = resolve(source)
    except CatalogError:
        if wanted.size_bytes is None:
            raise
        return wanted
    size = remote.size if wanted.size_bytes is None else wanted.size_bytes
    return msgspec.structs.replace(wanted, size_bytes=size, sha256=remote.sha256)


def _what_is_there(
    wanted: WantedFile, target: Path, meter: Meter, cancelled: threading.Event
) -> FetchedFile:
    """The file that was fetched before. Nothing that a person put there is written over."""
    if not target.is_file():
        raise occupied(target, "It is a folder.")
    size = target.stat().st_size
    if wanted.size_bytes not in (None, size):
        raise occupied(target, f"It has {size:,} bytes instead of {wanted.size_bytes:,}.")
    digest = sha256_of(target, cancelled, lambda done: meter.report("verifying", done, size))
    if wanted.sha256 not in (None, digest):
        raise occupied(
            target,
            f"Its SHA-256 begins with “{digest[:8]}” instead of “{(wanted.sha256 or '')[:8]}”.",
        )
    return FetchedFile(target, digest, size)


def _from_the_first(fetching: "Fetching", target: Path) -> FetchedFile:
    """What the first source gives that works; where none does, what was wrong with the first."""
    failure: CatalogError | None = None
    for source in fetching.wanted.sources:
        try:
            whole, digest = fetching.fetch(source)
        except (LocalProblem, DownloadCancelled):
            raise
        except CatalogError as error:
            failure = failure or error
            continue
        put_in_place(whole, target)
        fetching.discard_parts()
        return FetchedFile(target, digest, target.stat().st_size)
    raise failure or LocalProblem(f"There is no source of “{target.name}”.")
