"""From what a person chose to what the download queue is asked for."""

import hashlib
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from msgspec import structs

from app.errors import AppError
from app.formatting import shortened
from catalog.catalogues.entries import Artifact, Entry, HubFile, Package, Source, Url
from catalog.downloads.wanted import DownloadRequest, WantedFile
from catalog.gguf.files import parts_of
from catalog.hub.records import QuantFiles, Repository, RepositoryFile
from catalog.safe_names import is_model_file_name, is_safe_path

_LONGEST_FOLDER = 200


def request_for(
    entry: Entry, artifact: Artifact, *, with_projector: bool = True
) -> DownloadRequest:
    """Everything that one quant of an entry needs: its parts, and its projector."""
    files = [*_wanted(artifact)]
    projector = entry.projector if with_projector else None
    if projector is not None and artifact is not projector:
        files += _wanted(projector, beside=files[0])
    return DownloadRequest(
        id=f"{entry.id}:{artifact.quant}",
        ref=f"{entry.id}:{artifact.quant}",
        title=entry.name,
        quant=artifact.quant,
        files=tuple(files),
        entry_id=entry.id,
        licence=entry.licence.id,
        kind="adapter" if entry.kind == "adapter" else "model",
    )


def request_for_hub(
    repository: Repository, group: QuantFiles, projector: QuantFiles | None = None
) -> DownloadRequest:
    """A quant of a repository, and the projector that was chosen with it."""
    is_adapter = group in repository.adapters
    role: Literal["adapter", "weights"] = "adapter" if is_adapter else "weights"
    folder = _folder_in(repository, group)
    files = [_hub_file(file, role, folder) for file in group.files]
    if projector is not None:
        files += [_hub_file(file, "projector", folder) for file in projector.files]
    namesakes = (each for each in repository.groups if each.quant == group.quant)
    is_found_by_quant = group.quant and next(namesakes, group) is group
    selector = group.quant if is_found_by_quant else group.files[0].source.path
    ref = f"hub:{repository.repo}:{selector}"
    return DownloadRequest(
        id=ref,
        ref=ref,
        title=repository.repo.partition("/")[2],
        quant=group.quant,
        files=tuple(files),
        licence=repository.licence,
        kind="adapter" if is_adapter else "model",
    )


def request_for_file(source: HubFile | Url) -> DownloadRequest:
    """A file that nothing describes: a mirror without a listing, or an address."""
    files = tuple(
        WantedFile(sources=(part,), target=_target(part, part.name)) for part in _parts(source)
    )
    ref = source.url if isinstance(source, Url) else f"hub:{source.repo}:{source.path}"
    return DownloadRequest(
        id=ref, ref=ref, title=PurePosixPath(source.name).stem, quant="", files=files
    )


def _wanted(artifact: Artifact, beside: WantedFile | None = None) -> list[WantedFile]:
    """The files of an artifact. A projector is kept `beside` the weights that it belongs to."""
    first = artifact.sources[0]
    by_source = [_parts(each) for each in artifact.sources]
    n_parts = len(_parts(first))
    whole = n_parts == 1
    files = []
    for number, part in enumerate(_parts(first)):
        target = _target(part, part.name)
        if beside is not None and not isinstance(first, HubFile):
            target = str(PurePosixPath(beside.target).with_name(part.name))
        files.append(
            WantedFile(
                sources=tuple(parts[number] for parts in by_source if len(parts) == n_parts),
                target=target,
                role=artifact.role,
                size_bytes=artifact.size_bytes if whole else None,
                sha256=artifact.sha256 if whole else None,
                download_bytes=artifact.download_bytes if whole else None,
            )
        )
    return files


def _parts(source: Source) -> tuple[Source, ...]:
    """Where each part of a split file is, given where one of them is."""
    names = [part.name for part in parts_of(PurePosixPath(source.name))]
    if len(names) == 1:
        return (source,)
    match source:
        case HubFile(path=path):
            paths = [str(PurePosixPath(path).with_name(name)) for name in names]
            return tuple(structs.replace(source, path=each) for each in paths)
        case Url(url=url):
            address = re.fullmatch(r"([^?#]*/)[^/?#]*(.*)", url, re.DOTALL)
            assert address is not None  # it has a name
            return tuple(Url(f"{address[1]}{quote(name)}{address[2]}") for name in names)
        case Package(member=member):
            members = [str(PurePosixPath(member).with_name(name)) for name in names]
            return tuple(structs.replace(source, member=each) for each in members)


def _hub_file(
    file: RepositoryFile, role: Literal["weights", "projector", "adapter"], folder: str
) -> WantedFile:
    return WantedFile(
        sources=(file.source,),
        target=f"{folder}/{_safe_name(file.source.name)}",
        role=role,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _folder_in(repository: Repository, group: QuantFiles) -> str:
    """OWNER/NAME; where its folders have files of one name, also that folder of the repository."""
    names = Counter(
        file.source.name.casefold() for each in repository.groups for file in each.files
    )
    folder = PurePosixPath(group.files[0].source.path).parent
    if any(names[file.source.name.casefold()] > 1 for file in group.files):
        return str(PurePosixPath(repository.repo) / folder)
    return repository.repo


def _target(source: Source, name: str) -> str:
    """Files of the Hub lie as in other programs, under OWNER/NAME, those of packages at the top.

    Files of addresses lie under HOST/PATH: many a server has a “model.gguf”, and each is another.
    """
    checked = _safe_name(name)
    match source:
        case HubFile(repo=repo):
            return f"{repo}/{checked}"
        case Url(url=url):
            return f"{_folder_of(url)}/{checked}"
    return checked


def _folder_of(url: str) -> str:
    """The address without its file; where a folder can't be called so, what stands for it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].replace(":", "-").strip("[]").lower()
    above = [unquote(name) for name in parts.path.split("/")[:-1] if name]
    folder = "/".join((host, *above))
    if is_safe_path(f"{folder}/x") and len(folder) <= _LONGEST_FOLDER:
        return folder
    return f"web/{hashlib.sha256(folder.encode('utf-8', 'replace')).hexdigest()[:16]}"


def _safe_name(name: str) -> str:
    if is_model_file_name(name):
        return name
    shown = shortened(name)
    if not name.lower().endswith(".gguf"):
        raise AppError(f"“{shown}” is no name of a model file.", fix="It must end in .gguf.")
    raise AppError(
        f"“{shown}” can't be kept under its name.",
        "It is too long, or has something in it that not every system allows.",
        "Fetch it with another program, and import it under a shorter and plainer name.",
    )
