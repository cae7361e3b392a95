"""The commands of `causeway`."""

from typing import Annotated

import typer

from app.cli import (
    bench,
    catalog,
    chat,
    connections,
    conversations,
    doctor,
    downloads,
    engines,
    keys,
    making,
    models,
    profiles,
    pull,
    restoring,
    serve,
    settings,
    show,
    states,
)
from app.versions import installed_version

commands = typer.Typer(
    name="causeway",
    help="Chat with open language models on this computer. Without a command: open the window.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"causeway {installed_version('causeway')}")
        raise typer.Exit


@commands.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None: ...


commands.command("chat")(chat.chat)
commands.command("models")(models.models)
commands.add_typer(catalog.commands, name="catalog")
commands.command("show")(show.show)
commands.command("pull")(pull.pull)
commands.add_typer(downloads.commands, name="downloads")
commands.command("import")(models.import_)
commands.command("merge")(making.merge)
commands.command("quantize")(making.quantize)
commands.command("remove")(models.remove)
commands.add_typer(connections.commands, name="connections")
commands.add_typer(keys.commands, name="keys")
commands.command("serve")(serve.serve)
commands.command("engines")(engines.engines)
commands.add_typer(conversations.commands, name="conversations")
commands.add_typer(profiles.commands, name="profiles")
commands.command("settings")(settings.settings)
commands.command("token")(settings.token)
commands.command("restore")(restoring.restore)
commands.command("states")(states.states)
commands.command("bench")(bench.bench)
commands.command("doctor")(doctor.doctor)
