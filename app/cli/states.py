"""`causeway states`: what models have read of chats, kept on the disk."""

from typing import Annotated

import msgspec
import typer

from app.cli.opening import opened
from app.cli.output import print_json, say
from app.formatting import bytes_text


class ReportedStates(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    kept: bool
    bytes: int
    limit_bytes: int


def states(
    action: Annotated[
        str, typer.Argument(metavar="[clear]", help="Delete them. Left out: say what they take.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is kept of chats that were read, so that they go on at once, or delete it."""
    if action not in ("", "clear"):
        raise typer.BadParameter("It is “clear”, or nothing.")
    with opened() as services:
        freed = services.states.clear() if action else 0
        taken = services.states.bytes()
        keeping = services.states.keeping()
    limit = keeping.limit_bytes if keeping else 0
    if as_json:
        print_json(ReportedStates(keeping is not None, taken, limit))
    elif action:
        say(f"{bytes_text(freed)} freed.")
    elif keeping is None:
        print(f"{bytes_text(taken)} kept. Nothing is added: the setting keep_states is off.")
    else:
        print(f"{bytes_text(taken)} kept, of {bytes_text(limit)} at most.")
