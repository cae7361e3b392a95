"""`causeway restore`: the last good copies of files that were damaged."""

import time
from typing import Annotated

import typer

from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from app.formatting import list_date
from app.kept_files import KEPT, Kept


def restore(
    what: Annotated[
        str,
        typer.Argument(help="“settings”, “profiles” or “models”. Left out: list what there is."),
    ] = "",
    decline: Annotated[
        bool, typer.Option("--decline", help="Go on without the copy, which is kept.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put back the last good copy of a file that was damaged."""
    with opened() as services:
        files = services.kept_files
        if what:
            kept = _kept(what)
            if decline:
                files.decline(kept)
                say("The copy is kept under another name, and is not offered again.")
            else:
                files.restore(kept)
                say("The last good copy is in use again.")
            return
        services.profiles.of("")  # so that the file is looked at
        services.library.everything(most_new=0)
        found = files.damaged()
    if as_json:
        print_json(found)
        return
    now = time.time()
    print_table(
        ("What", "Good copy", "What happened"),
        [
            (each.kept, list_date(each.copy_time, now) if each.copy_time else "none", each.words)
            for each in found
        ],
    )
    if not found:
        say("Nothing was damaged.")


def _kept(what: str) -> Kept:
    for kept in KEPT:
        if kept == what:
            return kept
    raise AppError(f"There is no file called “{what}”.", fix=f"It is one of {', '.join(KEPT)}.")
