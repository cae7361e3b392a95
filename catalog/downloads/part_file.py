"""A file that is still being downloaded, and what must hold for its download to go on later."""

import contextlib
import io
import os
import threading
from pathlib import Path
from types import TracebackType

import msgspec

from catalog.downloads.extents import Extent, Extents
from catalog.whole_file import overwrite

_LONGEST_SIDECAR = 1 << 20


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one remote file from another.

    `source` names where it comes from, without credentials, query or signature: it is written to
    disk. `sha256` and `size` are None where nobody says.
    """

    source: str
    sha256: str | None = None
    size: int | None = None


class _Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """Kept beside the part: which file it is a part of, and which bytes are safely on the disk."""

    source: str
    sha256: str | None = None
    size: int | None = None
    validator: str = ""
    extents: tuple[Extent, ...] = ()


class Piece:
    """A stretch that one connection writes. `end` is None while the file's size is unknown.

    Attributes:
        at: Where the next byte goes. Only the piece's own connection moves it.
    """

    def __init__(self, file: io.FileIO, start: int, end: int | None) -> None:
        self._file = file
        self.start = start
        self.at = start
        self.end = end

    def write(self, data: bytes) -> None:
        self._file.seek(self.at)
        view = memoryview(data)
        while view:
            count = self._file.write(view)
            self.at += count
            view = view[count:]

    def close(self) -> None:
        self._file.close()

    @property
    def left(self) -> int | None:
        return None if self.end is None else self.end - self.at


class PartFile:
    """The file that is written by several connections at once, and its sidecar. Thread-safe.

    Use it as a context manager, which saves and closes. A part that belongs to another file is
    begun anew, one that stays empty is deleted. `OSError`s of the disk are passed on.

    Attributes:
        size: Bytes of the whole file, None while unknown.
        validator: The server's tag or time of the version that the part belongs to, or empty.
    """

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self._identity = identity
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._done = Extents()
        self._saved: _Sidecar | None = None
        self._pieces: list[Piece] = []
        self._advanced = threading.Condition(self._lock)
        self.size = identity.size
        self.validator = ""

    def __enter__(self) -> "PartFile":
        if self.path.is_symlink():
            self.path.unlink()  # whoever laid it, nothing is written through it
        self._take_up(read_sidecar(self.path))
        self._file = _open_for_update(self.path)
        if not self._done.covered:
            self._file.truncate(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with contextlib.suppress(*(() if error is None else (OSError,))):
                self.save()
        finally:
            self._file.close()
            if not self._done.covered:
                discard(self.path)

    def _take_up(self, sidecar: _Sidecar | None) -> None:
        mine = self._identity
        if sidecar is None:
            return
        same_source = sidecar.source == mine.source
        if mine.sha256 is None and sidecar.sha256 is None:
            belongs = same_source and bool(sidecar.validator)
        else:
            belongs = mine.sha256 == sidecar.sha256
        size = mine.size if mine.size is not None else sidecar.size
        if not belongs or sidecar.size not in (None, size):
            return
        there = self.path.stat().st_size if self.path.exists() else 0
        self._done = Extents(sidecar.extents).clipped(min(there, there if size is None else size))
        if self._done.covered:
            self.size = size
            self.validator = sidecar.validator if same_source else ""

    @property
    def expected_size(self) -> int | None:
        """What the file's size should be, by those who describe it; None where nobody says."""
        return self._identity.size

    def claim(self, most: int | None) -> Piece | None:
        """The next stretch that nobody has or writes, at most so long; None where there is none."""
        with self._lock:
            taken = Extents(self._done.extents)
            for piece in self._pieces:
                taken.add(piece.start, piece.at + 1 if piece.end is None else piece.end)
                if piece.end is None:
                    return None
            gap = taken.first_gap(self.size)
            if gap is None:
                return None
            start, end = gap
            if most is not None:
                end = start + most if end is None else min(end, start + most)
            piece = Piece(_open_for_update(self.path), start, end)
            self._pieces.append(piece)
            return piece

    def release(self, piece: Piece) -> None:
        """Keep what a piece wrote, and let others have the rest."""
        with self._lock:
            self._pieces.remove(piece)
            self._done.add(piece.start, piece.at)
            self._advanced.notify_all()
        piece.close()

    def written(self) -> Extents:
        """What has been written so far."""
        with self._lock:
            return self._written()

    def _written(self) -> Extents:
        written = Extents(self._done.extents)
        for piece in self._pieces:
            written.add(piece.start, piece.at)
        return written

    def wait_beyond(self, done: int, enough: int, seconds: float) -> int:
        """Bytes that are there without a gap.

        Waits so long where there are not `enough` more than `done`, nor all that will come.
        """
        with self._lock:
            frontier = self._written().frontier
            if frontier >= done + enough or done < frontier == self.size:
                return frontier
            self._advanced.wait(seconds)
            return self._written().frontier

    def wake(self) -> None:
        """End every `wait_beyond`."""
        with self._lock:
            self._advanced.notify_all()

    @property
    def is_whole(self) -> bool:
        with self._lock:
            return self.size is not None and self._done.frontier >= self.size

    def describe(self, size: int | None, validator: str) -> None:
        """Note what the server said of the file, so that a later run can go on."""
        self.size = size if self.size is None else self.size
        self.validator = validator or self.validator

    def save(self) -> int:
        """Bring what is written to the disk, then say so in the sidecar. Returns those bytes."""
        with self._saving:
            written = self.written()
            sidecar = _Sidecar(
                source=self._identity.source,
                sha256=self._identity.sha256,
                size=self.size,
                validator=self.validator,
                extents=written.extents,
            )
            if sidecar != self._saved:
                os.fsync(self._file.fileno())
                path = sidecar_path(self.path)
                overwrite(path, msgspec.json.encode(sidecar), _unfinished(path))
                self._saved = sidecar
            return written.covered

    def restart(self) -> None:
        """Forget what is there. No piece may be out."""
        with self._saving, self._lock:
            sidecar_path(self.path).unlink(missing_ok=True)
            self._file.truncate(0)
            self._done = Extents()
            self._saved = None
            self.size = self._identity.size
            self.validator = ""


def read_sidecar(path: Path) -> _Sidecar | None:
    """What lies beside a part; None where that is nothing that can be used."""
    try:
        with sidecar_path(path).open("rb") as file:
            data = file.read(_LONGEST_SIDECAR)
        sidecar = msgspec.json.decode(data, type=_Sidecar)
    except (OSError, ValueError, RecursionError):
        return None
    return sidecar if all(0 <= start < end for start, end in sidecar.extents) else None


def saved_bytes(path: Path) -> int:
    """Bytes of a part that a later run will not fetch again."""
    sidecar = read_sidecar(path)
    try:
        return (
            0 if sidecar is None else Extents(sidecar.extents).clipped(path.stat().st_size).covered
        )
    except OSError:
        return 0


def discard(path: Path) -> None:
    """Delete a part and its sidecar."""
    for leftover in (path, sidecar_path(path), _unfinished(sidecar_path(path))):
        leftover.unlink(missing_ok=True)


def sidecar_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _open_for_update(path: Path) -> io.FileIO:
    """Without a buffer, since several write to the file at once."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return io.FileIO(os.open(path, flags, 0o666), "r+")
