"""The file in which the library keeps what it knows of model files."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from catalog.errors import CatalogError
from catalog.kept_file import KeptFile
from catalog.library.facts import FileFacts, file_parts, state_of
from catalog.lock_file import locked
from catalog.portable_paths import located, portable
from catalog.whole_file import overwrite

_LARGEST_FILE = 100_000_000


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one file's content, since `stamp`.

    `origin`: "download" was checked as it was fetched, "computed" on demand. `entry_id` says which
    entry of a catalogue it was fetched for.
    """

    stamp: str
    sha256: str
    origin: Literal["download", "computed"] = "computed"
    entry_id: str = ""


class Contents(msgspec.Struct, frozen=True, omit_defaults=True):
    """Facts of models by the path of their first file, and what is known of single files."""

    files: dict[str, FileFacts] = {}
    contents: dict[str, Content] = {}


class Registry:
    """Facts by absolute path, in a JSON file that several processes may share.

    The file itself has paths below its own folder relative to it, so that the folder can be moved.

    Of a damaged file nothing is known; `file` has what became of it. What is lost then are checksums,
    and the files that were added elsewhere.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = KeptFile(path, self._decoded, _LARGEST_FILE)
        self._lock_path = path.with_name(path.name + ".lock")

    def read(self) -> Contents:
        """What is known; nothing where the file can't be read."""
        try:
            return self._read()
        except OSError:
            return Contents()

    @contextlib.contextmanager
    def changing(self) -> Iterator[Contents]:
        """What is known, to be changed in place. Stored on leaving, while other processes wait."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self._lock_path, threading.Event()):
                known = self._read()
                before = Contents(dict(known.files), dict(known.contents))
                yield known
                if known != before:
                    self._store(known)
        except OSError as error:
            raise self._unusable(error) from error

    def remember(
        self,
        current: Mapping[str, FileFacts],
        gone: Callable[[str], bool],
        again: Mapping[str, str] = {},
    ) -> None:
        """Take over what a scan found, and forget what it says is `gone`.

        `again` has the new path of each file that was moved, with the path that it had before.

        Costs nothing when nothing changed. It only spares the next scan some reading, so a full
        disk or a read-only folder is no failure.
        """
        known = self.read()
        forgotten = {path for path in (*known.files, *known.contents) if gone(path)}
        if (
            not forgotten
            and not again
            and all(known.files.get(p) == facts for p, facts in current.items())
        ):
            return
        with contextlib.suppress(CatalogError), self.changing() as kept:
            carry_over(kept.contents, current, again)
            for path in (*forgotten, *(old for path, old in again.items() if path != old)):
                kept.files.pop(path, None)
                kept.contents.pop(path, None)
            for path, facts in current.items():
                # An added file that another process has just removed must not come back.
                if path in kept.files or not facts.added:
                    kept.files[path] = facts

    def _read(self) -> Contents:
        return self.file.read() or Contents()

    def _store(self, known: Contents) -> None:
        self.file.make_way()
        home = self._path.parent
        stored = Contents(
            {portable(path, home): facts for path, facts in known.files.items()},
            {portable(path, home): content for path, content in known.contents.items()},
        )
        data = msgspec.json.format(msgspec.json.encode(stored), indent=1)
        overwrite(self._path, data, self._path.with_name(f"{self._path.name}.tmp"))

    def _decoded(self, content: bytes) -> Contents:
        stored = msgspec.json.decode(content, type=Contents)
        home = self._path.parent
        return Contents(
            {located(path, home): facts for path, facts in stored.files.items()},
            {located(path, home): each for path, each in stored.contents.items()},
        )

    def _unusable(self, error: OSError) -> CatalogError:
        return CatalogError(
            f"The list of models can't be read or written: “{self._path}”.",
            f"{error.strerror or error}.",
            "Free some space, or check who may write there.",
        )


def carry_over(
    contents: dict[str, Content], facts: Mapping[str, FileFacts], again: Mapping[str, str]
) -> None:
    """Move what is known of the content of such files to the paths where they are now."""
    for path, old in again.items():
        parts = file_parts(Path(path), facts[path].n_parts)
        before_parts = file_parts(Path(old), facts[path].n_parts)
        for part, before in zip(parts, before_parts, strict=False):
            content = contents.pop(str(before), None)
            state = state_of(str(part), 1)
            if content and state and _size(content.stamp) == _size(state.stamp):
                contents[str(part)] = msgspec.structs.replace(content, stamp=state.stamp)


def _size(stamp: str) -> str:
    return stamp.partition(":")[0]
