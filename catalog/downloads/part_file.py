"""A file that is still being downloaded, and what must hold for its download to go on later."""

import contextlib
import hashlib
import threading
from pathlib import Path
from types import TracebackType

import msgspec

from catalog.errors import DownloadCancelled
from catalog.remote_file import RemoteFile

_CHUNK = 1 << 20


class _Sidecar(msgspec.Struct, frozen=True):
    """Kept beside the part: which file it is the beginning of. `address` is without credentials."""

    address: str
    sha256: str | None = None
    size: int | None = None
    etag: str = ""


class PartFile:
    """Appends to `path` and hashes as it goes. Use it as a context manager, which saves and closes.

    A part that belongs to another file is begun anew, one that stays empty is deleted. `OSError`s
    of the disk are passed on.

    Attributes:
        length: Bytes that are there.
        size: Bytes of the whole file, None while unknown.
        etag: The server's tag of the version that the part belongs to, or empty.
    """

    def __init__(self, path: Path, remote: RemoteFile, cancelled: threading.Event) -> None:
        self._path = path
        self._sidecar_path = path.with_name(path.name + ".json")
        self._remote = remote
        self._cancelled = cancelled
        self._address = address_of(remote.url)
        self._hash = hashlib.sha256()
        self.length = 0
        self.size = remote.size
        self.etag = ""

    def __enter__(self) -> "PartFile":
        sidecar = self._read_sidecar()
        if sidecar is not None and self._path.exists() and self._belongs(sidecar):
            self._read_what_is_there()
            self.etag = sidecar.etag if sidecar.address == self._address else ""
            self.size = self.size or sidecar.size
        if 0 < self.length <= (self.size or self.length):
            self._file = self._path.open("ab")
        else:
            self._file = self._path.open("wb")
            self._forget()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError:
            # What could not be flushed is read again: the length on disk is what counts.
            if error is None:
                raise
        if not self.length:
            discard(self._path)

    def append(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.length += len(data)

    def restart(self) -> None:
        """Forget what is there."""
        self._file.seek(0)
        self._file.truncate()
        self._forget()

    def describe(self, size: int | None, etag: str) -> None:
        """Note what the server said of the file, so that a later run can go on."""
        self.size, self.etag = self.size or size, etag
        sidecar = _Sidecar(self._address, self._remote.sha256, self.size, etag)
        self._sidecar_path.write_bytes(msgspec.json.encode(sidecar))

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def _forget(self) -> None:
        self._hash = hashlib.sha256()
        self.length = 0
        self.size = self._remote.size
        self.etag = ""

    def _belongs(self, sidecar: _Sidecar) -> bool:
        if self._remote.sha256 is not None or sidecar.sha256 is not None:
            return sidecar.sha256 == self._remote.sha256
        return sidecar.address == self._address and bool(sidecar.etag)

    def _read_sidecar(self) -> _Sidecar | None:
        try:
            return msgspec.json.decode(self._sidecar_path.read_bytes(), type=_Sidecar)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _read_what_is_there(self) -> None:
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                if self._cancelled.is_set():
                    raise DownloadCancelled("The download was cancelled.")
                self._hash.update(chunk)
                self.length += len(chunk)


def discard(path: Path) -> None:
    """Delete a part and its sidecar."""
    for leftover in (path, path.with_name(path.name + ".json")):
        with contextlib.suppress(FileNotFoundError):
            leftover.unlink()


def address_of(url: str) -> str:
    """The address without name, password and query: what may be written to disk."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
