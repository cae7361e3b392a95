"""Files that may be models, and the bounded walk that finds them in a folder of any size."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from catalog.errors import CatalogError
from catalog.library.installed import LibraryProblem, PlaceKind

_SUFFIX = ".gguf"
_MAX_ENTRIES = 50_000
_MAX_FILES = 5_000
_MOUNT_POINT = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT

DEPTH = 6
"""How many folders deep models are looked for; OWNER/NAME/QUANT are three."""


class FoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A GGUF file, the first part of one that is split, and what its place says of it.

    `managed`: it lies in our own folder, and no link led there. `names` are what its place calls it,
    `repo` is the "OWNER/NAME" it was fetched from, `sha256` what its place says its content is.
    `loose`: the files beside it need not belong to it. `projector` is named by the place itself.
    """

    path: str
    place: PlaceKind
    managed: bool = False
    names: tuple[str, ...] = ()
    repo: str = ""
    sha256: str = ""
    loose: bool = False
    projector: str = ""
    licence_file: str = ""

    @property
    def file_name(self) -> str:
        return os.path.basename(self.path)  # noqa: PTH119 (hundreds a scan)

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)  # noqa: PTH120


class WalkedFile(msgspec.Struct, frozen=True):
    """`above` are the folders between the start and the file; `linked`: a link led there."""

    path: str
    above: tuple[str, ...]
    linked: bool


def gguf_files(
    start: Path, problems: list[LibraryProblem], *, depth: int = DEPTH
) -> Iterator[WalkedFile]:
    """Every GGUF file below a folder, by name, each folder once however it is linked.

    Hidden folders are left out. What can't be read, or is too much, is told in `problems`; a start
    that is not there is none.
    """
    return (
        file for file in walk(start, problems, depth=depth) if file.path.lower().endswith(_SUFFIX)
    )


def walk(
    start: Path, problems: list[LibraryProblem], *, depth: int = DEPTH
) -> Iterator[WalkedFile]:
    """Every file below a folder; `gguf_files` tells the rest."""
    seen: set[tuple[int, int]] = set()
    waiting = [WalkedFile(str(start), (), False)]
    n_entries = n_files = 0
    while waiting:
        folder = waiting.pop()
        try:
            state = os.stat(folder.path)  # noqa: PTH116
            if (state.st_dev, state.st_ino) in seen and state.st_ino:
                continue
            seen.add((state.st_dev, state.st_ino))
            with os.scandir(folder.path) as entries:
                inside = []
                for entry in entries:
                    n_entries += 1
                    if n_entries > _MAX_ENTRIES:
                        break
                    inside.append(entry)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            problems.append(unreadable(folder.path, error))
            continue
        inside.sort(key=lambda entry: entry.name, reverse=True)
        files = []
        for entry in inside:
            if _is_folder(entry):
                if len(folder.above) < depth and not entry.name.startswith("."):
                    linked = folder.linked or entry.is_symlink() or _is_junction(entry)
                    waiting.append(WalkedFile(entry.path, (*folder.above, entry.name), linked))
            else:
                files.append(entry.path)
        for path in reversed(files):
            n_files += path.lower().endswith(_SUFFIX)
            yield WalkedFile(path, folder.above, folder.linked)
        if n_entries > _MAX_ENTRIES or n_files > _MAX_FILES:
            problems.append(_too_much(start))
            return


def shown(path: str | Path) -> str:
    """A path fit for a sentence, whatever its bytes are."""
    return str(path).encode("utf-8", "replace").decode()


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


if sys.platform == "win32":

    def _is_junction(entry: "os.DirEntry[str]") -> bool:
        """Windows has folders that lead elsewhere without being links."""
        try:
            return entry.stat(follow_symlinks=False).st_reparse_tag == _MOUNT_POINT
        except OSError:
            return False

else:

    def _is_junction(entry: "os.DirEntry[str]") -> bool:
        return False


def unreadable(path: str, error: OSError | ValueError) -> LibraryProblem:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return LibraryProblem(
        Path(path),
        CatalogError(
            f"The folder “{shown(path)}” can't be read.",
            f"{reason}.",
            "Check who may read it, or choose another folder.",
        ),
    )


def _too_much(path: Path) -> LibraryProblem:
    return LibraryProblem(
        path,
        CatalogError(
            f"Not all of the folder “{shown(path)}” was looked through.",
            f"It holds more than {_MAX_ENTRIES:,} files, or more than {_MAX_FILES:,} models.",
            "Choose the folder in it that holds the models.",
        ),
    )
