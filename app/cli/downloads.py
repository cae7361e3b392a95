"""`causeway downloads`: what is being fetched, waits, or has failed; beside an open window, too."""

from typing import Annotated

import msgspec
import typer

from app.cli.default_group import DefaultGroup
from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from app.formatting import bytes_text
from app.services import Services
from catalog.downloads.wanted import DownloadProblem, DownloadState, Phase

commands = typer.Typer(cls=DefaultGroup, help="List downloads, or change what becomes of them.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]


class ListedDownload(msgspec.Struct, frozen=True, kw_only=True):
    """What `downloads --json` prints of each. Bytes of all its files; `total` is null while unknown."""

    id: str
    ref: str
    title: str
    quant: str
    phase: Phase
    done: int
    total: int | None
    path: str
    problem: DownloadProblem | None


@commands.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the downloads, in order."""
    with opened() as services:
        states = services.downloads.states()
    if as_json:
        print_json([_listed(state) for state in states])
        return
    print_table(
        ("ID", "State", "Done", "Total", "Why"),
        [
            (
                state.request.id,
                state.phase,
                bytes_text(state.file_amounts[0]),
                bytes_text(state.file_amounts[1] or 0) if state.total else "",
                state.problem.what if state.problem else "",
            )
            for state in states
        ],
    )
    if not states:
        say("Nothing is being downloaded. “causeway pull” fetches a model.")


@commands.command()
def pause(download: Id) -> None:
    """Pause a download, also one that an open window runs."""
    with opened() as services:
        services.downloads.pause(_known(services, download))


@commands.command()
def resume(download: Id) -> None:
    """Let an open window go on with a download. “causeway pull” does it here."""
    with opened() as services:
        services.downloads.resume(_known(services, download))


@commands.command()
def cancel(download: Id) -> None:
    """Give a download up, and delete what was fetched of it."""
    with opened() as services:
        services.downloads.cancel(_known(services, download))


@commands.command()
def clear() -> None:
    """Forget the downloads that are done. Their files stay."""
    with opened() as services:
        services.downloads.clear_finished()


def _known(services: Services, wanted: str) -> str:
    ids = [state.request.id for state in services.downloads.states()]
    if wanted in ids:
        return wanted
    raise AppError(
        f"There is no download “{wanted}”.", fix=f"There are {', '.join(ids)}." if ids else ""
    )


def _listed(state: DownloadState) -> ListedDownload:
    return ListedDownload(
        id=state.request.id,
        ref=state.request.ref,
        title=state.request.title,
        quant=state.request.quant,
        phase=state.phase,
        done=state.done,
        total=state.total,
        path=state.path,
        problem=state.problem,
    )
