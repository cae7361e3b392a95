"""Small files that hold what a person chose: a damaged one is set aside, and a good copy is kept."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from catalog.whole_file import replace, write_whole

_log = logging.getLogger(__name__)

T = TypeVar("T")

Stamp = tuple[int, int, int]


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was found damaged.

    `aside` is where it lies now; None where it could not be moved, and `reason` says why.
    """

    path: Path
    aside: Path | None
    reason: str = ""


class KeptFile(Generic[T]):
    """Reads a file that other processes write as well, whole each time.

    Each good content is copied beside the file (`settings.last-good.json`). When the file is found
    damaged, it is renamed and that copy waits (`settings.restorable.json`) until a person has chosen:
    `restore` or `decline`. Nothing is deleted. Safe to call from any thread.

    Attributes:
        path: where the file lies.
        damage: what was found last by this process; None where all is well.
    """

    def __init__(
        self, path: Path, decode: Callable[[bytes], T], largest: int, *, copied: bool = True
    ) -> None:
        """`decode` raises a `MsgspecError`, `RecursionError` or `ValueError` for what is damaged.

        A file of more than `largest` bytes counts as damaged too. `copied`: a good copy is kept.
        """
        self.path = path
        self.damage: Damage | None = None
        self._decode = decode
        self._largest = largest
        self._is_copied = copied
        self._lock = threading.RLock()
        self._last_good = path.with_name(f"{path.stem}.last-good{path.suffix}")
        self._restorable = path.with_name(f"{path.stem}.restorable{path.suffix}")
        self._copied: Stamp | None = None
        self._stuck: Stamp | None = None

    def read(self) -> T | None:
        """What the file holds; None where it is absent or damaged. Raises `OSError`."""
        with self._lock:
            return self._read()

    def make_way(self) -> None:
        """To be called before the file is written. A damaged one that still lies there is moved aside;
        raises `OSError` where that fails, since writing would destroy it.
        """
        with self._lock:
            if self.damage is not None and self.damage.aside is None and self.path.exists():
                aside = set_aside_name(self.path, "damaged")
                replace(self.path, aside)
                self._note_aside(aside)

    def restorable_from(self) -> float | None:
        """When the copy was made that can be put back, in Unix seconds; None where there is none."""
        try:
            return self._restorable.stat().st_mtime
        except OSError:
            return None

    def restore(self) -> None:
        """Put the last good copy back. What is there now is kept under another name. Raises `OSError`."""
        with self._lock:
            if self.path.exists():
                replace(self.path, set_aside_name(self.path, "replaced"))
            replace(self._restorable, self.path)
            self.damage = None

    def decline(self) -> None:
        """Go on without the last good copy, which is kept under another name. Raises `OSError`."""
        with self._lock:
            if self._restorable.exists():
                replace(self._restorable, set_aside_name(self.path, "declined"))
            self.damage = None

    def _read(self) -> T | None:
        while True:
            stamp = stamp_of(self.path)
            if stamp is None or stamp == self._stuck:
                return None
            try:
                with self.path.open("rb") as file:
                    content = file.read(self._largest + 1)
            except FileNotFoundError:
                return None
            try:
                if len(content) > self._largest:
                    raise ValueError("it is larger than any such file")
                decoded = self._decode(content)
            except (msgspec.MsgspecError, RecursionError, ValueError) as error:
                if stamp_of(self.path) == stamp:  # else another process has just replaced it
                    self._set_aside(error, stamp)
                    return None
            else:
                if self.damage is not None and self.damage.aside is None:
                    self.damage = None  # somebody has mended it
                self._keep_copy(content, stamp)
                return decoded

    def _set_aside(self, error: Exception, stamp: Stamp) -> None:
        aside = set_aside_name(self.path, "damaged")
        try:
            replace(self.path, aside)
        except FileNotFoundError:
            return  # another process has set it aside
        except OSError as refused:
            _log.error("%s is damaged (%s) and stays there: %s", self.path, error, refused)
            self._stuck = stamp
            reason = f"{refused.strerror or refused}."
            self.damage = Damage(path=self.path, aside=None, reason=reason)
            return
        _log.error("%s was damaged (%s); it is kept as %s", self.path, error, aside)
        self._note_aside(aside)

    def _note_aside(self, aside: Path) -> None:
        with suppress(OSError):
            if self._last_good.exists():
                self.decline()
                replace(self._last_good, self._restorable)
        self.damage = Damage(path=self.path, aside=aside)

    def _keep_copy(self, content: bytes, stamp: Stamp) -> None:
        if not self._is_copied or stamp == self._copied:
            return
        self._copied = stamp
        with suppress(OSError):  # a full disk or a folder that is only read: there is no copy, then
            kept = stamp_of(self._last_good)
            if kept is None or kept[0] < stamp[0] or kept[1] != len(content):
                write_whole(self._last_good, content, durable=True)


def stamp_of(path: Path) -> Stamp | None:
    """Changes when the file is written again; None where it is absent. Raises `OSError`."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def set_aside_name(path: Path, reason: str) -> Path:
    """A free name beside the file: `settings.json` becomes `settings.damaged-2026-05-12.json`."""
    stem = f"{path.stem}.{reason}-{datetime.now():%Y-%m-%d}"
    names = (f"{stem}{f'-{n}' if n > 1 else ''}{path.suffix}" for n in count(1))
    return next(place for name in names if not (place := path.with_name(name)).exists())
