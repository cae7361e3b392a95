"""The file in which the library keeps what it knows of model files."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from catalog.errors import CatalogError
from catalog.lock_file import locked


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a model file said when it was last read.

    `stamp` tells whether it has changed since; `added`: a person added it where it lies.
    """

    id: str = ""
    size_bytes: int
    stamp: str
    name: str
    quant: str
    architecture: str
    context_length: int
    has_template: bool
    n_parts: int = 1
    added: bool = False


class _Contents(msgspec.Struct, frozen=True):
    files: dict[str, FileFacts] = {}


class Registry:
    """Facts by absolute path, in a JSON file that several processes may share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")

    def files(self) -> dict[str, FileFacts]:
        """What is known; nothing where the file can't be read."""
        try:
            return self._read()
        except OSError:
            return {}

    def _read(self) -> dict[str, FileFacts]:
        """A damaged file is set aside: only the files that were added must be added again."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Contents).files
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError:
            with contextlib.suppress(OSError):
                self._path.replace(self._path.with_name(self._path.name + ".damaged"))
            return {}

    @contextlib.contextmanager
    def changing(self) -> Iterator[dict[str, FileFacts]]:
        """The facts, to be changed in place. Stored on leaving, while other processes wait."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self._lock_path, threading.Event()):
                files = self._read()
                before = dict(files)
                yield files
                if files != before:
                    self._store(files)
        except OSError as error:
            raise self._unusable(error) from error

    def remember(self, current: Mapping[str, FileFacts], owned: Callable[[str], bool]) -> None:
        """Take over what a scan found, and forget `owned` files that it did not find.

        Costs nothing when nothing changed. It only spares the next scan some reading, so a full
        disk or a read-only folder is no failure.
        """
        known = self.files()
        if all(known.get(path) == facts for path, facts in current.items()) and not any(
            owned(path) and path not in current for path in known
        ):
            return
        with contextlib.suppress(CatalogError), self.changing() as files:
            for path in [path for path in files if owned(path) and path not in current]:
                del files[path]
            # An added file that another process has just removed must not come back.
            files.update({p: f for p, f in current.items() if owned(p) or p in files})

    def _store(self, files: Mapping[str, FileFacts]) -> None:
        data = msgspec.json.format(msgspec.json.encode(_Contents(files=dict(files))), indent=2)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(data)
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)

    def _unusable(self, error: OSError) -> CatalogError:
        return CatalogError(
            f"The list of models can't be read or written: “{self._path}”.",
            f"{error.strerror}.",
            "Free some space, or check who may write there.",
        )
