"""Ollama's models: a manifest a tag, which names the blobs it is made of.

The layout is that of Ollama's own sources (`types/model`, `manifest`): `manifests/HOST/NAMESPACE/
MODEL/TAG` is JSON whose layers have a media type and a digest, and `blobs/sha256-HEX` is the content.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from catalog.errors import CatalogError
from catalog.library.found import FoundFile, shown, walk
from catalog.library.installed import LibraryProblem

_MAX_BYTES = 1 << 20
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_HOST, _NAMESPACE, _TAG = "registry.ollama.ai", "library", "latest"
_MEDIA = "application/vnd.ollama.image."


class _Layer(msgspec.Struct, frozen=True):
    media_type: str = msgspec.field(name="mediaType", default="")
    digest: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    layers: tuple[_Layer, ...] | None = None


def ollama_files(folder: Path, problems: list[LibraryProblem]) -> Iterator[FoundFile]:
    """The model of every tag, those of the same blob once, and the adapters and projectors of tags."""
    models: dict[str, FoundFile] = {}
    others: dict[str, FoundFile] = {}
    for file in walk(folder / "manifests", problems, depth=8):
        name = _name((*file.above, os.path.basename(file.path)))  # noqa: PTH119
        if not name:
            continue
        try:
            layers = _layers(Path(file.path))
        except CatalogError as error:
            problems.append(LibraryProblem(Path(file.path), error))
            continue
        projector = _first(folder, layers, "projector")
        if projector:
            others[projector] = FoundFile(path=projector, place="ollama", loose=True)
        for kind, found in (("model", models), ("adapter", others)):
            for digest in layers.get(kind, [])[:1]:
                blob = _blob(folder, digest)
                if not blob:
                    problems.append(LibraryProblem(Path(file.path), _missing(name)))
                    continue
                known = found.get(blob)
                found[blob] = FoundFile(
                    path=blob,
                    place="ollama",
                    names=tuple(sorted((*(known.names if known else ()), name), key=_order)),
                    sha256=digest,
                    loose=True,
                    projector=projector,
                    licence_file=_first(folder, layers, "license"),
                )
    yield from models.values()
    yield from (file for path, file in others.items() if path not in models)


def _layers(path: Path) -> dict[str, list[str]]:
    """Digests by the last word of the media type. Raises `CatalogError` for what is no manifest."""
    try:
        if not path.is_file():
            raise _unreadable(path, "It is no file.")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
        layers = msgspec.json.decode(data, type=_Manifest).layers or ()
    except OSError as error:
        raise _unreadable(path, f"{error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # what msgspec raises is one
        raise _unreadable(path, "It is damaged.") from error
    digests: dict[str, list[str]] = {}
    for layer in layers:
        match = _DIGEST.fullmatch(layer.digest)
        if match and layer.media_type.startswith(_MEDIA):
            digests.setdefault(layer.media_type.removeprefix(_MEDIA), []).append(match[1])
    return digests


def _first(folder: Path, layers: dict[str, list[str]], kind: str) -> str:
    digests = layers.get(kind)
    return _blob(folder, digests[0]) if digests else ""


def _blob(folder: Path, digest: str) -> str:
    """The file of that content; empty where it is missing. Early versions had a colon in the name."""
    for separator in ("-", ":"):
        path = os.path.join(folder, "blobs", f"sha256{separator}{digest}")  # noqa: PTH118
        if os.path.isfile(path):  # noqa: PTH113
            return path
    return ""


def _name(parts: tuple[str, ...]) -> str:
    """What Ollama calls it: host and namespace are left out where they are the usual ones."""
    if len(parts) < 4 or any(part.startswith(".") for part in parts):
        return ""
    *before, model, tag = parts
    if before[0] == _HOST:
        before = before[1:]
        if before == [_NAMESPACE]:
            before = []
    return f"{'/'.join((*before, model))}:{tag}"


def _order(name: str) -> tuple[bool, str]:
    """A tag that says something comes before one that does not."""
    return name.endswith(f":{_TAG}"), name


def _unreadable(path: Path, why: str) -> CatalogError:
    return CatalogError(
        f"A manifest of Ollama can't be read: “{shown(path)}”.",
        why,
        "Pull the model again in Ollama.",
    )


def _missing(name: str) -> CatalogError:
    return CatalogError(
        f"Ollama's “{shown(name)}” is not whole.",
        "A file that it is made of is missing.",
        "Pull it again in Ollama.",
    )
