"""`causeway show`: all that is known of a model, here or elsewhere."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.interrupts import stopping
from app.cli.opening import opened
from app.cli.output import print_json, say, terminal_safe
from app.cli.show_adapter import ShownAdapter, shown_adapter
from app.errors import AppError
from app.fits import ReportedFit, reported_fit
from app.formatting import bytes_text, tokens_text
from app.references import CatalogueRef, HubRef, parse_ref
from app.services import Services
from catalog.catalogues.entries import Artifact, Entry
from catalog.catalogues.sizes import expected_group_bytes
from catalog.errors import CatalogError, UnknownModel
from catalog.hub.records import QuantFiles, Repository
from catalog.library import InstalledModel

_RECORDED = "recorded on first download"
_WORD_OF = {
    "catalogue": "catalogue",
    "download": _RECORDED,
    "place": "the name under which its place keeps it",
    "earlier": "computed on this computer",
}


class ShownQuant(msgspec.Struct, frozen=True, kw_only=True):
    """`checksum_from`: "catalogue" or "Hub", or "recorded on first download" where nobody has said it.
    `fit` is null where nobody has said the size. `chosen`: “pull” takes it where no quant is named.
    """

    quant: str
    files: tuple[str, ...]
    size_bytes: int
    size_is_exact: bool
    sha256: str | None
    checksum_from: str
    fit: ReportedFit | None
    chosen: bool


class ShownAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """What a load really took, beside what was expected. Bytes; `ratio` is estimate / truth."""

    n_ctx: int
    estimated_bytes: int
    allocated_bytes: int
    ratio: float


class ShownInstalled(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    path: str
    place: str
    also_at: tuple[str, ...]
    quant: str
    size_bytes: int
    architecture: str
    parameters: int
    context: int
    template: str
    licence: str
    projector: str
    sha256: str
    checksum_from: str
    fit: ReportedFit | None
    allocations: tuple[ShownAllocation, ...]
    adapter: ShownAdapter | None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What `show --json` prints. What nobody says is empty or 0."""

    ref: str
    name: str
    summary: str = ""
    kind: str = ""
    status: str = ""
    obstacle: str = ""
    family: str = ""
    parameters: int = 0
    architecture: str = ""
    context: int = 0
    capabilities: tuple[str, ...] = ()
    licence: str = ""
    licence_url: str = ""
    must_accept: bool = False
    base: str = ""
    published: str = ""
    showed: str = ""
    gated: str = ""
    quants: tuple[ShownQuant, ...] = ()
    installed: tuple[ShownInstalled, ...] = ()


def show(
    ref: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="An installed model, a catalogue id, or hub:OWNER/NAME."
        ),
    ],
    context: Annotated[
        int, typer.Option("--context", min=0, help="Tokens to estimate the memory for.")
    ] = 0,
    exact: Annotated[
        bool, typer.Option("--exact", help="Read the file's header from its server for the fit.")
    ] = False,
    digest: Annotated[
        bool, typer.Option("--sha256", help="Compute the checksum of what is installed.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check what is installed against its checksum.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a model: what it is, what it needs, and what is here of it."""
    with opened() as services:
        here = _installed(services, ref)
        if verify or digest:
            _check(services, here, ref, verify=verify)
            here = _installed(services, ref)
        shown = _shown(services, ref, here, context, exact=exact)
    if as_json:
        print_json(shown)
    else:
        _print(shown)


def _installed(services: Services, ref: str) -> tuple[InstalledModel, ...]:
    """What is here: everything of a catalogue entry, or the one model of that name or file."""
    everything = services.library.everything()
    of_entry = tuple(each for each in everything if each.entry and each.entry.id == ref)
    if of_entry:
        return of_entry
    try:
        return (services.library.find(ref),)
    except CatalogError:
        return ()


def _shown(
    services: Services, ref: str, here: tuple[InstalledModel, ...], context: int, *, exact: bool
) -> Shown:
    installed = tuple(_shown_installed(services, model, context) for model in here)
    entry = services.catalogues.entry(ref.partition(":")[0]) or (here[0].entry if here else None)
    if entry is not None:
        return _shown_entry(services, ref, entry, installed, context, exact=exact)
    if here:
        return Shown(
            ref=ref,
            name=here[0].name,
            kind=here[0].kind,
            status="ready",
            architecture=here[0].architecture,
            parameters=here[0].parameters,
            context=here[0].context_length,
            base=here[0].base,
            licence=installed[0].licence,
            installed=installed,
        )
    match parse_ref(ref):
        case HubRef(repo, selector):
            repository = services.hub.repository(repo)
            return _shown_repository(services, ref, repository, selector, context)
        case CatalogueRef(entry_id, _):
            services.lookup.entry(entry_id)
    raise UnknownModel(f"“{ref}” can't be shown.", fix="Pull it first.")


def _shown_entry(
    services: Services,
    ref: str,
    entry: Entry,
    installed: tuple[ShownInstalled, ...],
    context: int,
    *,
    exact: bool,
) -> Shown:
    chosen = services.lookup.artifact(entry) if entry.status == "ready" else None
    return Shown(
        ref=ref,
        name=entry.name,
        summary=entry.summary,
        kind=entry.kind,
        status=entry.status,
        obstacle=entry.obstacle,
        family=entry.family,
        parameters=entry.parameters,
        architecture=entry.architecture,
        context=entry.context,
        capabilities=entry.capabilities,
        licence=entry.licence.id,
        licence_url=entry.licence.url,
        must_accept=entry.licence.accept,
        base=entry.base,
        published=entry.published,
        showed=entry.showed,
        quants=tuple(
            _shown_artifact(services, entry, each, context, exact=exact, chosen=each is chosen)
            for each in entry.artifacts
        ),
        installed=installed,
    )


def _shown_artifact(
    services: Services,
    entry: Entry,
    artifact: Artifact,
    context: int,
    *,
    exact: bool,
    chosen: bool,
) -> ShownQuant:
    size, size_is_exact = services.fitting.size_of(entry, artifact)
    if exact and artifact.role == "weights":
        fit = services.fitting.of_artifact(entry, artifact, context)
    else:
        fit = services.fitting.rough(entry, artifact, context)
    return ShownQuant(
        quant=artifact.quant,
        files=(artifact.file_name,),
        size_bytes=size,
        size_is_exact=size_is_exact,
        sha256=artifact.sha256,
        checksum_from="catalogue" if artifact.sha256 else _RECORDED,
        fit=reported_fit(fit) if fit.parts.weights else None,
        chosen=chosen,
    )


def _shown_repository(
    services: Services, ref: str, repository: Repository, selector: str, context: int
) -> Shown:
    """The quant that is asked for, or else the one to take here, is judged by its header."""
    groups = repository.groups
    looked_into = services.lookup.group(repository, selector) if groups else None
    can_run = repository.quants or repository.adapters
    chosen = services.lookup.group(repository, "") if can_run else None
    return Shown(
        ref=ref,
        name=repository.repo,
        status="ready",
        parameters=repository.parameters,
        architecture=repository.architecture,
        context=repository.context,
        licence=repository.licence,
        licence_url=repository.licence_url,
        base=repository.base,
        gated=repository.gated,
        quants=tuple(
            _shown_group(
                services,
                repository,
                each,
                context,
                exact=each is looked_into,
                chosen=each is chosen,
            )
            for each in groups
        ),
    )


def _shown_group(
    services: Services,
    repository: Repository,
    group: QuantFiles,
    context: int,
    *,
    exact: bool,
    chosen: bool,
) -> ShownQuant:
    fit = services.fitting.rough_of_group(repository, group, context)
    if exact and group in repository.quants:
        with suppress(CatalogError):  # a gated file, or one that is none: its size is known
            fit = services.fitting.of_hub_file(group, context)
    size, size_is_exact = expected_group_bytes(repository, group)
    known = all(file.sha256 for file in group.files)
    return ShownQuant(
        quant=group.quant,
        files=tuple(file.source.path for file in group.files),
        size_bytes=size,
        size_is_exact=size_is_exact,
        sha256=group.files[0].sha256 if len(group.files) == 1 else None,
        checksum_from="Hub" if known else _RECORDED,
        fit=reported_fit(fit) if fit.parts.weights else None,
        chosen=chosen,
    )


def _shown_installed(services: Services, model: InstalledModel, context: int) -> ShownInstalled:
    details = services.library.details(model)
    fit = None if model.kind == "adapter" else services.fitting.of_model(model, context)
    return ShownInstalled(
        id=model.id,
        path=str(model.path),
        place=model.place,
        also_at=tuple(str(path) for path in model.also_at),
        quant=model.quant,
        size_bytes=model.size_bytes,
        architecture=model.architecture,
        parameters=model.parameters,
        context=model.context_length,
        template=details.template_from,
        licence=details.licence.id,
        projector=str(model.projector or ""),
        sha256=details.sha256,
        checksum_from=_WORD_OF.get(details.sha256_from, ""),
        fit=reported_fit(fit) if fit else None,
        allocations=tuple(
            ShownAllocation(
                n_ctx=each.n_ctx,
                estimated_bytes=each.estimated.total,
                allocated_bytes=each.allocated.total,
                ratio=round(each.estimated.total / max(each.allocated.total, 1), 3),
            )
            for each in services.allocations.of(model.path)
        ),
        adapter=shown_adapter(services, model) if model.kind == "adapter" else None,
    )


def _check(services: Services, here: tuple[InstalledModel, ...], ref: str, *, verify: bool) -> None:
    if not here:
        raise AppError(f"“{ref}” is not on this computer.", fix="Only what is here can be checked.")
    cancelled = threading.Event()
    with stopping(cancelled.set):
        for model in here:
            if verify:
                outcome = services.library.verify(model, lambda done, total: None, cancelled)
                say(f"{model.id}: {outcome.message}")
                if not outcome.sound:
                    raise typer.Exit(1)
            else:
                services.library.digest(model, lambda done, total: None, cancelled)


def _print(shown: Shown) -> None:
    lines = [shown.name, shown.summary, shown.showed, shown.obstacle]
    facts = {
        "Id": shown.ref,
        "Kind": shown.kind,
        "Published": shown.published,
        "Family": shown.family,
        "Architecture": shown.architecture,
        "Parameters": f"{shown.parameters:,}" if shown.parameters else "",
        "Context": tokens_text(shown.context) if shown.context else "",
        "Can": ", ".join(shown.capabilities),
        "Base": shown.base,
        "Licence": f"{shown.licence} {shown.licence_url}".strip()
        + (" (must be agreed to)" if shown.must_accept else ""),
        "Access": "must be asked for on the Hub" if shown.gated == "ask" else "",
    }
    print("\n".join(terminal_safe(line) for line in lines if line))
    print("\n".join(f"  {key}: {terminal_safe(value)}" for key, value in facts.items() if value))
    for quant in shown.quants:
        about = "" if quant.size_is_exact else "about "
        size = f"{about}{bytes_text(quant.size_bytes)}" if quant.size_bytes else "size not known"
        name = terminal_safe(quant.quant or quant.files[0])
        fit = f", {quant.fit.words} ({quant.fit.sum})" if quant.fit else ""
        chosen = "; the one to begin with" if quant.chosen else ""
        print(f"  {name}: {size}{fit}{chosen}; checksum: {quant.checksum_from}")
    for model in shown.installed:
        _print_installed(model)


def _print_installed(model: ShownInstalled) -> None:
    print(f"On this computer: {terminal_safe(model.id)} ({model.quant})")
    facts = {
        "Path": str(Path(model.path)),
        "Also at": ", ".join(model.also_at),
        "Size": bytes_text(model.size_bytes),
        "Template": model.template,
        "Projector": model.projector,
        "SHA-256": f"{model.sha256} ({model.checksum_from})" if model.sha256 else "",
        "Memory": f"{model.fit.words}: {model.fit.sum}" if model.fit else "",
        **(model.adapter.lines() if model.adapter else {}),
    }
    print("\n".join(f"  {key}: {terminal_safe(value)}" for key, value in facts.items() if value))
    for each in model.allocations:
        print(
            f"  Loaded with {tokens_text(each.n_ctx)}: expected {bytes_text(each.estimated_bytes)},"
            f" took {bytes_text(each.allocated_bytes)}"
        )
    for reason in model.adapter.reasons() if model.adapter else ():
        print(f"  {terminal_safe(reason)}")
