"""Bringing a remote file here, whole and verified, through whatever befalls the connection."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2

from catalog.downloads.part_file import PartFile, discard
from catalog.errors import DownloadError
from catalog.http import HttpClient, Interrupted, Patience, Retries, host_of
from catalog.remote_file import RemoteFile

_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<size>\d+|\*)")
_NO_SUCH_RANGE = re.compile(r"bytes \*/(?P<size>\d+)")
_TRY_LATER = "What was fetched is kept: try again to go on from there."


class _WrongBytes(Exception):
    """What came is not the file that the index describes."""


def transfer(
    client: HttpClient,
    remote: RemoteFile,
    path: Path,
    *,
    limit: int,
    patience: Patience,
    cancelled: threading.Event,
    on_bytes: Callable[[int, int | None], None],
) -> None:
    """Download `remote` to `path`, going on from what is there, and check its length and SHA-256.

    `limit`: bytes after which a file of unknown size is refused. `on_bytes` gets the bytes that are
    there and the size, where known. Raises `DownloadError` or `DownloadCancelled`; a part that can
    be gone on with stays.
    """
    retries = Retries(cancelled, patience)
    furthest = 0
    began_anew = False
    with PartFile(path, remote, cancelled) as part:
        while True:
            try:
                _fetch_rest(client, remote, part, limit, on_bytes)
                if remote.sha256 is not None and part.sha256 != remote.sha256:
                    raise _WrongBytes
                return
            except Interrupted as failure:
                # After a restart the same bytes come again: only new ones are progress.
                if part.length > furthest:
                    furthest = part.length
                    retries.reset()
                retries.wait_after(failure, _TRY_LATER)
            except _WrongBytes:
                part.restart()
                if began_anew:
                    break
                began_anew = True
    discard(path)
    raise DownloadError(
        "The download arrived damaged, twice.",
        f"What {host_of(remote.url)} sends is not what the package index describes.",
        "Try again later, or use another package index.",
    )


def _fetch_rest(
    client: HttpClient,
    remote: RemoteFile,
    part: PartFile,
    limit: int,
    on_bytes: Callable[[int, int | None], None],
) -> None:
    on_bytes(part.length, part.size)
    if part.length and part.length == part.size:
        return
    headers = {"Accept-Encoding": "identity"}
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
        if part.etag and not part.etag.startswith("W/"):
            headers["If-Range"] = part.etag
    with client.get(remote.url, headers) as answer:
        if _is_whole_already(answer, part):
            return
        _prepare(answer, remote, part)
        for chunk in answer.iter_raw():
            client.check_cancelled()
            part.append(chunk)
            if part.length > (part.size or limit):
                raise _WrongBytes
            on_bytes(part.length, part.size)
    if part.size is not None and part.length < part.size:
        raise Interrupted(f"{host_of(remote.url)} broke off early.")


def _is_whole_already(answer: httpx2.Response, part: PartFile) -> bool:
    if answer.status_code != 416:
        return False
    match = _NO_SUCH_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return match is not None and int(match["size"]) == part.length > 0


def _prepare(answer: httpx2.Response, remote: RemoteFile, part: PartFile) -> None:
    """Make the part ready for the body of this answer."""
    host = host_of(remote.url)
    if answer.status_code in (404, 410):
        raise DownloadError(
            f"{host} does not have the file.",
            "The package index names it, but it is gone.",
            "Try again later, or use another package index.",
        )
    etag = answer.headers.get("ETag", "")
    if answer.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        sizes = {part.size, None if match is None or match["size"] == "*" else int(match["size"])}
        if match is None or int(match["start"]) != part.length or len(sizes - {None}) > 1:
            part.restart()
            raise Interrupted(f"{host} sent another stretch of the file than was asked for.")
        part.describe(max(size or 0 for size in sizes) or None, etag)
        return
    if part.length:
        # A 200, or a 416 to a part that is not whole: the server starts from zero, so do we.
        part.restart()
    if answer.status_code == 416:
        raise Interrupted(f"{host} does not have the rest of the file.")
    length = answer.headers.get("Content-Length", "")
    part.describe(int(length) if length.isdecimal() else None, etag)
