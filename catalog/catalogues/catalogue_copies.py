"""Catalogues from elsewhere: fetching one, and keeping its last good copy."""

import hashlib
import re
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from catalog.catalogues.catalogue_file import MAX_FILE_BYTES, is_web_address
from catalog.errors import CatalogError, DownloadError
from catalog.whole_file import write_whole

if TYPE_CHECKING:
    import httpx2

    from catalog.http import HttpClient, Patience

_SUFFIX = ".catalogue"
_LONGEST_SECONDS = 120.0
_CREDENTIALS = re.compile(r"(?<=://)[^/?#]*@")
_CHANGE_ADDRESS = "Check its address in the settings."


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue file as it was fetched. `etag` tells whether there is a newer one.

    `refreshed_at` is when it was last known to be the newest, in Unix seconds.
    """

    data: bytes
    etag: str = ""
    refreshed_at: float = 0.0


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    copy: Copy
    sha256: str


class CopyFolder:
    """The last good copies on disk, one file an address. No address is written down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, address: str) -> Copy | None:
        """The copy; None where there is none that is whole."""
        try:
            kept = msgspec.msgpack.decode(self._path(address).read_bytes(), type=_Kept)
        except (OSError, ValueError, RecursionError):
            return None
        return kept.copy if kept.sha256 == _digest(kept.copy.data) else None

    def save(self, address: str, copy: Copy) -> None:
        """Put it in the place of the last one, in one step. Raises `OSError`."""
        content = msgspec.msgpack.encode(_Kept(copy=copy, sha256=_digest(copy.data)))
        write_whole(self._path(address), content, durable=True)

    def keep_only(self, addresses: Iterable[str]) -> None:
        """Forget the copies of all other addresses."""
        kept = {self._path(address).name for address in addresses}
        with suppress(OSError):
            for path in self._folder.glob(f"*{_SUFFIX}"):
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def _path(self, address: str) -> Path:
        return self._folder / f"{_digest(shown_address(address).encode())[:32]}{_SUFFIX}"


def is_on_the_web(address: str) -> bool:
    """Whether it is an address rather than a file's path."""
    return "://" in address


def shown_address(address: str) -> str:
    """The address without name and password: fit to be shown and to be written down."""
    return _CREDENTIALS.sub("", address)


def read_file(address: str, last: Copy | None) -> Copy:
    """The catalogue file, or `last` where it is unchanged. Raises `CatalogError`."""
    try:
        path = Path(address).expanduser()
        status = path.stat()
        etag = f"{status.st_mtime_ns}-{status.st_size}"
        if last and last.etag == etag:
            return msgspec.structs.replace(last, refreshed_at=time.time())
        if not path.is_file():
            raise CatalogError(f"“{path}” is no file.", fix=_CHANGE_ADDRESS)
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CatalogError(
            f"The catalogue “{address}” can't be read.", f"{why}.", _CHANGE_ADDRESS
        ) from error
    return Copy(data=data, etag=etag, refreshed_at=time.time())


def fetch_copy(
    address: str,
    last: Copy | None,
    client: "HttpClient",
    patience: "Patience",
    cancelled: threading.Event,
) -> Copy:
    """The catalogue at the address, or `last` where it is unchanged. Blocks.

    Raises `DownloadError` or `DownloadCancelled`.
    """
    from catalog.http import Interrupted, Retries

    if not is_web_address(shown_address(address)):
        raise DownloadError(
            f"“{shown_address(address)}” can't be used as a catalogue.",
            "It is neither a file nor an https address.",
            _CHANGE_ADDRESS,
        )
    retries = Retries(cancelled, patience)
    headers = {"Accept": "application/json"}
    if last and last.etag:
        headers["If-None-Match"] = last.etag
    while True:
        try:
            with client.get(address, headers) as answer:
                return _copy(answer, last)
        except Interrupted as failure:
            retries.wait_after(failure, "Try again later: the last copy stays in use.")
            client.check_cancelled()


def _copy(answer: "httpx2.Response", last: Copy | None) -> Copy:
    if answer.status_code == 304 and last:
        return msgspec.structs.replace(last, refreshed_at=time.time())
    if answer.status_code != 200:
        raise DownloadError(
            f"{answer.url.host} has no catalogue at this address (status {answer.status_code}).",
            fix=_CHANGE_ADDRESS,
        )
    etag = answer.headers.get("ETag", "")[:1_000]
    return Copy(data=_body(answer), etag=etag, refreshed_at=time.time())


def _body(answer: "httpx2.Response") -> bytes:
    """The body, of a bounded size and within a bounded time."""
    ends = time.monotonic() + _LONGEST_SECONDS
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MAX_FILE_BYTES:
            raise DownloadError(
                f"What {answer.url.host} sends is too large.",
                f"A catalogue has {MAX_FILE_BYTES >> 20} MB at most.",
            )
        if time.monotonic() > ends:
            raise DownloadError(
                f"{answer.url.host} is too slow.",
                f"The catalogue did not come within {_LONGEST_SECONDS:.0f} seconds.",
            )
    return bytes(body)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
