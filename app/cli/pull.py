"""`causeway pull`: download a model, and go on where an earlier try stopped."""

import sys
import threading
from typing import Annotated

import typer

from app.cli.interrupts import stopping
from app.cli.opening import opened
from app.cli.output import print_json, say
from app.errors import AppError
from catalog.catalogues.entries import Licence
from catalog.downloads.wanted import DownloadState
from catalog.errors import CatalogError
from catalog.library import InstalledModel, Library


def pull(
    ref: Annotated[
        str,
        typer.Argument(
            metavar="REF",
            help="A catalogue id (ID or ID:QUANT), hub:OWNER/NAME[:QUANT|:FILE], or the https address"
            " of a GGUF file.",
        ),
    ],
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="Agree to the licence without being asked.")
    ] = False,
    projector: Annotated[
        bool, typer.Option(help="Fetch the projector that lets the model see, too.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Download a model or an adapter. Ctrl+C pauses; the same command goes on from there."""
    from app.cli.transfer_screen import TransferScreen  # rich takes 0.1 s to import

    cancelled = threading.Event()
    with opened() as services:
        found = services.lookup.find(ref, with_projector=projector)
        if found.to_accept is not None and not accept:
            _ask(found.request.title, found.to_accept)
        with stopping(cancelled.set), TransferScreen(found.request.title) as screen:
            state = services.downloads.run_one(found.request, screen.show, cancelled)
        if state.elsewhere and state.phase == "running":
            say("Left to the other process, which goes on fetching it.")
            raise typer.Exit(1)
        if state.phase == "paused":
            say(f"Paused. “causeway pull {ref}” goes on from there.")
            raise typer.Exit(1)
        if state.phase != "done":
            raise _failure(state)
        model = _found(services.library, state.path)
    model_id = model.id if model else ""
    if as_json:
        sha256 = model.sha256 if model else ""
        print_json({"id": model_id, "path": state.path, "sha256": sha256, "ref": ref})
    else:
        print(model_id or state.path)


def _found(library: Library, path: str) -> InstalledModel | None:
    """What came; None where it is no model, such as a projector by itself."""
    try:
        return library.find(path)
    except CatalogError as error:
        say(str(error))
        return None


def _ask(title: str, licence: Licence) -> None:
    where = f" ({licence.url})" if licence.url else ""
    if not sys.stdin.isatty():
        raise AppError(
            f"{title} has a licence that must be agreed to: {licence.id}{where}.",
            fix="Read it, and say --accept-licence.",
        )
    typer.confirm(
        f"{title} is under the licence {licence.id}{where}. Do you agree to it?",
        abort=True,
        err=True,
    )


def _failure(state: DownloadState) -> AppError:
    problem = state.problem
    if problem is None:
        return AppError(f"{state.request.title} could not be downloaded.")
    return AppError(problem.what, problem.why, problem.fix)
