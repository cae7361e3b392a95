"""The caches that the Hub's own client and llama.cpp keep.

The client's layout is documented with it: `models--OWNER--NAME/snapshots/COMMIT/FILE` is a link into
`blobs/`, whose names are the SHA-256 of large files; `refs/main` names the newest commit. Where links
can't be made, the file itself lies in the snapshot. llama.cpp keeps `OWNER_NAME_FILE` flat, and beside
them the Hub's answer as `manifest=OWNER=NAME=TAG.json`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from catalog.library.found import FoundFile, gguf_files, unreadable
from catalog.library.installed import LibraryProblem
from catalog.library.program_settings import first_line

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 1 << 20
_MAX_SNAPSHOTS = 50


def hub_cache_files(folder: Path, problems: list[LibraryProblem]) -> Iterator[FoundFile]:
    """Every GGUF file of every repository, the newest snapshot first, each blob once."""
    for repository in _folders(folder, problems):
        name = os.path.basename(repository)  # noqa: PTH119
        if not name.startswith("models--"):
            continue
        repo = name.removeprefix("models--").replace("--", "/", 1)
        seen: set[str] = set()
        for snapshot in _snapshots(Path(repository), problems):
            for file in gguf_files(snapshot, problems, depth=3):
                blob, sha256 = _blob(file.path)
                if blob not in seen:
                    seen.add(blob)
                    yield FoundFile(path=file.path, place="hub_cache", repo=repo, sha256=sha256)


def llama_cpp_files(folder: Path, problems: list[LibraryProblem]) -> Iterator[FoundFile]:
    """The files of llama.cpp's cache, with what its manifests say of them."""
    told = {}
    for manifest in sorted(folder.glob("manifest=*.json")):
        told.update(_told_by(manifest))
    for file in gguf_files(folder, problems, depth=1):
        name = os.path.basename(file.path)  # noqa: PTH119
        repo, projector = told.get(name, ("", ""))
        beside = os.path.join(folder, projector) if projector else ""  # noqa: PTH118
        yield FoundFile(path=file.path, place="llama_cpp", repo=repo, loose=True, projector=beside)


class _ManifestFile(msgspec.Struct, frozen=True):
    rfilename: str = ""


class _HubManifest(msgspec.Struct, frozen=True):
    model: _ManifestFile | None = msgspec.field(name="ggufFile", default=None)
    projector: _ManifestFile | None = msgspec.field(name="mmprojFile", default=None)


def _told_by(path: Path) -> dict[str, tuple[str, str]]:
    """Repository and projector by the model's name in the cache; nothing where it says none."""
    parts = path.name.removesuffix(".json").split("=")
    if len(parts) != 4:
        return {}
    repo = f"{parts[1]}/{parts[2]}"
    try:
        with path.open("rb") as file:
            manifest = msgspec.json.decode(file.read(_MAX_BYTES), type=_HubManifest)
    except (OSError, ValueError, msgspec.DecodeError, RecursionError):
        return {}
    model, projector = (
        f"{repo}/{file.rfilename}".replace("/", "_").replace("\\", "_") if file else ""
        for file in (manifest.model, manifest.projector)
    )
    return {model: (repo, projector)} if model else {}


def _folders(folder: Path, problems: list[LibraryProblem]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(unreadable(str(folder), error))
        return []


def _snapshots(repository: Path, problems: list[LibraryProblem]) -> list[Path]:
    """Commits, the one that the main branch had last at the front, then the newest."""
    main = first_line(repository / "refs" / "main")
    snapshots = []
    for path in _folders(repository / "snapshots", problems):
        try:
            written = os.stat(path).st_mtime  # noqa: PTH116
        except OSError:
            continue
        snapshots.append((os.path.basename(path) != main, -written, path))  # noqa: PTH119
    return [Path(path) for _, _, path in sorted(snapshots)[:_MAX_SNAPSHOTS]]


def _blob(path: str) -> tuple[str, str]:
    """What tells the content from others of the repository, and its SHA-256 where the name says."""
    try:
        target = os.readlink(path)  # noqa: PTH115
    except OSError:
        return path, ""
    folder, name = os.path.split(target.replace("\\", "/"))
    if os.path.basename(folder) != "blobs":  # noqa: PTH119
        return path, ""
    return name, name if _SHA256.fullmatch(name) else ""
