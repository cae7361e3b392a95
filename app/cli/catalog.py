"""`causeway catalog`: what can be had, and catalogues that people write."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.default_group import DefaultGroup
from app.cli.hub_search import hub
from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from app.fits import ReportedFit, reported_fit
from app.formatting import bytes_text, count_text
from app.recommendations import choose
from app.services import Services
from catalog.catalogues.catalogue_check import check_catalogue
from catalog.catalogues.catalogues import KnownCatalogue
from catalog.catalogues.entries import Entry, Kind
from catalog.catalogues.entry_filter import EntryFilter, EntryIndex

commands = typer.Typer(cls=DefaultGroup, help="List what the catalogues have, or check one.")

_LARGEST_CATALOGUE = 64 << 20
_SHOWN_PROBLEMS = 5


class ListedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What `catalog --json` prints of each; `quant`, `size_bytes` and `fit` are of the quant that suits
    this computer best. `size_is_exact`: it is of the file itself, not rounded or computed. Without any
    size (0) nobody can tell whether it fits."""

    id: str
    name: str
    family: str
    kind: Kind
    status: str
    obstacle: str
    parameters: int
    capabilities: tuple[str, ...]
    licence: str
    collection: str
    published: str
    summary: str
    quants: tuple[str, ...]
    quant: str
    size_bytes: int
    size_is_exact: bool
    fit: ReportedFit | None
    installed: bool


@commands.command("list")
def list_(
    query: Annotated[list[str] | None, typer.Argument(help="Words to look for.")] = None,
    kind: Annotated[str, typer.Option("--kind", help="Only of this kind, such as vision.")] = "",
    fits: Annotated[bool, typer.Option("--fits", help="Only what fits this computer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what the catalogues have. It works offline."""
    with opened() as services:
        wanted = EntryFilter(
            text=" ".join(query or ()),
            kinds=frozenset([_checked_kind(kind)]) if kind else frozenset(),
        )
        index = EntryIndex(services.catalogues.entries())
        here = {model.entry.id for model in services.library.everything() if model.entry}
        rows = [_listed(services, entry, entry.id in here) for entry in index.find(wanted)]
        problems = [each for known in services.catalogues.known() for each in _problems(known)]
    if fits:
        rows = [row for row in rows if row.fit is not None and row.fit.verdict == "fits"]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("ID", "Name", "Size", "Fit", "Licence", "What it is"),
            [_cells(row) for row in rows],
        )
        if not rows:
            say("No entry has these words. “causeway pull hub:OWNER/NAME” takes one from the Hub.")
    for problem in problems:
        say(problem)


commands.command("hub")(hub)


@commands.command()
def validate(
    file: Annotated[Path, typer.Argument(help="A catalogue file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a catalogue that somebody writes, and name every entry that is wrong."""
    try:
        if file.exists() and not file.is_file():
            raise AppError(f"“{file}” is no file.", fix="Name a catalogue file.")
        with file.open("rb") as opened_file:
            data = opened_file.read(_LARGEST_CATALOGUE)
    except OSError as error:
        raise AppError(f"“{file}” can't be read.", f"{error.strerror}.") from error
    checked = check_catalogue(data, f"“{file.name}”")
    count = len(checked.catalogue.entries) if checked.catalogue else 0
    if as_json:
        print_json(
            {
                "id": checked.catalogue.id if checked.catalogue else "",
                "entries": count,
                "problems": [str(problem) for problem in checked.problems],
                "warnings": list(map(str, checked.warnings)),
            }
        )
    else:
        for line in (*checked.problems, *checked.warnings):
            say(str(line))
        print(f"{count} {'entry is' if count == 1 else 'entries are'} valid.")
    if checked.problems:
        raise typer.Exit(1)


@commands.command()
def refresh() -> None:
    """Fetch the catalogues that were added in the settings anew."""
    with opened() as services:
        known = services.catalogues.refresh()
    added = [each for each in known if each.address]
    for each in added:
        for problem in _problems(each):
            say(problem)
        count = len(each.catalogue.entries) if each.catalogue else 0
        print(f"{each.shown_address}\t{count_text(count, 'entry', 'entries')}")
    if not added:
        say("No catalogue has been added. “causeway settings catalogues” adds one.")
    if any(each.problem for each in added):
        raise typer.Exit(1)


def _problems(known: KnownCatalogue) -> list[str]:
    """What is wrong with a catalogue, and the first of what had to be left out of it."""
    lines = [str(each) for each in known.left_out[:_SHOWN_PROBLEMS]]
    if len(known.left_out) > len(lines):
        rest = len(known.left_out) - len(lines)
        there_are = "There is" if rest == 1 else "There are"
        lines.append(
            f"{there_are} {rest:,} more such in “{known.shown_address.partition('?')[0]}”."
        )
    return [str(known.problem), *lines] if known.problem else lines


def _checked_kind(kind: str) -> Kind:
    try:
        checked: Kind = msgspec.convert(kind, Kind)
        return checked
    except msgspec.ValidationError:
        kinds = "chat, completion, embedding, vision, adapter and reference"
        raise AppError(f"There is no kind “{kind}”.", fix=f"There are {kinds}.") from None


def _listed(services: Services, entry: Entry, installed: bool) -> ListedEntry:
    fitting = services.fitting
    choice = choose([entry], fitting.rough).get(entry.id)
    size, exact = fitting.size_of(entry, choice.artifact) if choice else (0, False)
    return ListedEntry(
        id=entry.id,
        name=entry.name,
        family=entry.family,
        kind=entry.kind,
        status=entry.status,
        obstacle=entry.obstacle,
        parameters=entry.parameters,
        capabilities=entry.capabilities,
        licence=entry.licence.id,
        collection=entry.collection,
        published=entry.published,
        summary=entry.summary,
        quants=tuple(each.quant for each in entry.weights),
        quant=choice.artifact.quant if choice else "",
        size_bytes=size,
        size_is_exact=exact,
        fit=reported_fit(choice.fit) if choice and size else None,
        installed=installed,
    )


def _cells(row: ListedEntry) -> tuple[str, ...]:
    about = "" if row.size_is_exact else "about "
    size = f"{about}{bytes_text(row.size_bytes)}" if row.size_bytes else ""
    fit = row.fit.words if row.fit else row.status.replace("_", " ").replace("ready", "")
    return (row.id, row.name, size, "installed" if row.installed else fit, row.licence, row.summary)
