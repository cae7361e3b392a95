"""From what a person chose to what the download queue is asked for."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Literal

from app.errors import AppError
from catalog.downloads.wanted import DownloadRequest, WantedFile
from catalog.entries import Artifact, Entry, HubFile, Source, Url
from catalog.fit import Fit
from catalog.gguf import parts_of
from catalog.hub.records import QuantFiles, Repository

_GOOD_BITS = 5.0
"""Up to here more bits are worth their memory; above, the gain is small."""

_SMALL_BYTES = 1_200_000_000
"""Files up to this size are taken in the best quant that fits: they are quick in any case."""


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
    files = [_hub_file(file.source, role, file.size_bytes, file.sha256) for file in group.files]
    if projector is not None:
        files += [
            _hub_file(file.source, "projector", file.size_bytes, file.sha256)
            for file in projector.files
        ]
    ref = f"hub:{repository.repo}:{group.quant or group.files[0].source.path}"
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
    if isinstance(source, HubFile):
        parts = _parts(source)
        files = tuple(_hub_file(part, "weights", None, None) for part in parts)
        ref = f"hub:{source.repo}:{source.path}"
    else:
        files = (WantedFile(sources=(source,), target=_safe_name(source.name)),)
        ref = source.url
    return DownloadRequest(
        id=ref, ref=ref, title=PurePosixPath(source.name).stem, quant="", files=files
    )


def best_artifact(entry: Entry, fit_of: Callable[[Artifact], Fit]) -> Artifact | None:
    """What most people want of an entry: about four to five bits a weight, if that fits.

    Small files come in the best quant that fits; where nothing fits, the smallest. None where the
    entry has no file.
    """
    rated = [(fit_of(artifact), artifact) for artifact in entry.weights]
    rated.sort(key=lambda each: each[0].parts.weights)
    fitting = [(fit, artifact) for fit, artifact in rated if fit.verdict == "fits"]
    modest = [
        artifact
        for fit, artifact in fitting
        if (artifact.bits or _GOOD_BITS) <= _GOOD_BITS or fit.parts.weights <= _SMALL_BYTES
    ]
    if modest:
        return modest[-1]
    return next((artifact for _, artifact in fitting or rated), None)


def best_group(groups: Iterable[QuantFiles]) -> QuantFiles | None:
    """What most people want of a repository: Q4_K_M where it is there, else the next larger one."""
    ordered = sorted(groups, key=lambda group: group.size_bytes or 0)
    for wanted in ("Q4_K_M", "UD-Q4_K_XL", "Q4_K_S", "Q4_0", "Q5_K_M", "MXFP4"):
        for group in ordered:
            if group.quant.upper().endswith(wanted):
                return group
    return ordered[len(ordered) // 2] if ordered else None


def best_projector(groups: Iterable[QuantFiles]) -> QuantFiles | None:
    """Of several projectors, the one in F16: small enough, and exact."""
    ordered = sorted(groups, key=lambda group: group.size_bytes or 0)
    return next(
        (group for group in ordered if group.quant.upper() == "F16"),
        ordered[0] if ordered else None,
    )


def _wanted(artifact: Artifact, beside: WantedFile | None = None) -> list[WantedFile]:
    """The files of an artifact. A projector is kept `beside` the weights that it belongs to."""
    first = artifact.sources[0]
    names = [part.name for part in parts_of(PurePosixPath(first.name))]
    whole = len(names) == 1
    files = []
    for number, name in enumerate(names):
        target = _target(first, name)
        if beside is not None and not isinstance(first, HubFile):
            target = str(PurePosixPath(beside.target).with_name(name))
        files.append(
            WantedFile(
                sources=tuple(_part(source, number) for source in artifact.sources),
                target=target,
                role=artifact.role,
                size_bytes=artifact.size_bytes if whole else None,
                sha256=artifact.sha256 if whole else None,
                download_bytes=artifact.download_bytes if whole else None,
            )
        )
    return files


def _part(source: Source, number: int) -> Source:
    return _parts(source)[number] if isinstance(source, HubFile) else source


def _parts(source: HubFile) -> tuple[HubFile, ...]:
    path = PurePosixPath(source.path)
    names = [part.name for part in parts_of(path)]
    return tuple(HubFile(source.repo, str(path.with_name(name)), source.revision) for name in names)


def _hub_file(
    source: HubFile,
    role: Literal["weights", "projector", "adapter"],
    size_bytes: int | None,
    sha256: str | None,
) -> WantedFile:
    return WantedFile(
        sources=(source,),
        target=_target(source, source.name),
        role=role,
        size_bytes=size_bytes,
        sha256=sha256,
    )


def _target(source: Source, name: str) -> str:
    """Files of the Hub lie as in other programs, under OWNER/NAME; others at the top."""
    if isinstance(source, HubFile):
        return f"{source.repo}/{_safe_name(name)}"
    return _safe_name(name)


def _safe_name(name: str) -> str:
    if not name.lower().endswith(".gguf") or "\\" in name or name.startswith("."):
        raise AppError(f"“{name}” is no name of a model file.")
    return name
