"""`causeway connections`: services elsewhere, or other programs here, that answer in chats."""

import getpass
import sys
from typing import Annotated

import msgspec
import typer

from app.cli.default_group import DefaultGroup
from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.connections.connections import PROVIDERS, provider_of
from app.connections.records import Connection
from app.models import OfferedModel
from app.services import Services

commands = typer.Typer(
    cls=DefaultGroup, help="Services that answer in place of a model of your own."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its id or title.")]


class ListedConnection(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. `leaves`: what is asked leaves this computer. No key is ever printed."""

    id: str
    title: str
    provider: str
    url: str
    leaves: bool
    key: str
    models: int


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """List them. No key is shown."""
    with opened() as services:
        listed = [_listed(services, each) for each in services.connections.all()]
    if as_json:
        print_json(listed)
        return
    print_table(
        ("ID", "Title", "Address", "Where", "Key", "Models"),
        [
            (each.id, each.title, each.url, _where(each), each.key, str(each.models))
            for each in listed
        ],
    )
    if not listed:
        say("No service is connected. “causeway connections providers” lists those that are known.")


@commands.command()
def providers(as_json: AsJson = False) -> None:
    """List the services that are known, and what becomes of what you write to them."""
    if as_json:
        print_json(PROVIDERS)
        return
    print_table(
        ("Provider", "Address", "Key", "Privacy"),
        [
            (
                each.id,
                each.url or "yours",
                each.key_variable if each.needs_key else "not needed",
                each.privacy,
            )
            for each in PROVIDERS
        ],
    )


@commands.command()
def add(
    provider: Annotated[str, typer.Argument(help="One of “causeway connections providers”.")],
    url: Annotated[str, typer.Option(help="Its address, where that is not the usual one.")] = "",
    title: Annotated[str, typer.Option(help="What to call it.")] = "",
    variable: Annotated[
        str, typer.Option(metavar="NAME", help="Read the key from this environment variable.")
    ] = "",
) -> None:
    """Connect a service. Nothing is sent to it before “check” or a chat."""
    with opened() as services:
        connection = services.connections.add(provider, title=title, url=url)
        if variable:
            connection = services.connections.use_variable(connection.id, variable)
        leaves = services.connections.leaves(connection)
    print(connection.id)
    known = provider_of(connection.provider)
    if leaves:
        say(known.privacy)
    if known.needs_key and not variable:
        say(f"It wants a key: causeway connections key {connection.id}")
    say(f"See what it offers: causeway connections check {connection.id}")


@commands.command()
def key(
    connection: Id,
    variable: Annotated[
        str, typer.Option(metavar="NAME", help="Read it from this environment variable.")
    ] = "",
    forget: Annotated[bool, typer.Option("--forget", help="Forget the key.")] = False,
) -> None:
    """Keep a key, which is asked for or read from standard input. It is never printed."""
    with opened() as services:
        found = services.connections.find(connection)
        if forget:
            services.connections.forget_key(found.id)
            say("The key is forgotten.")
        elif variable:
            services.connections.use_variable(found.id, variable)
            say(f"The key is read from {variable}.")
        else:
            given = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
            services.connections.set_key(found.id, given)
            place = services.settings.current.secrets_place
            say(f"The key is kept in the {'sealed file' if place == 'file' else 'keyring'}.")


@commands.command()
def check(connection: Id, as_json: AsJson = False) -> None:
    """Ask the service for its models, and remember them."""
    with opened() as services:
        found = services.connections.find(connection)
        models = services.connections.check(found.id)
    _print_models(models, as_json)


@commands.command()
def models(connection: Id, as_json: AsJson = False) -> None:
    """List what the service offered when it was asked last."""
    with opened() as services:
        found = services.connections.find(connection)
        listed = services.connections.models(found.id)
    _print_models(listed, as_json)
    if not listed:
        say(f"Nothing yet. Ask it with: causeway connections check {found.id}")


@commands.command()
def change(
    connection: Id,
    url: Annotated[str, typer.Option(help="Its address.")] = "",
    title: Annotated[str, typer.Option(help="What to call it.")] = "",
) -> None:
    """Give it another address or title. A key is not taken along to another server."""
    with opened() as services:
        found = services.connections.find(connection)
        changed = services.connections.change(found.id, title=title, url=url or found.url)
    if found.key_place != "none" and changed.key_place == "none":
        say("Its key was forgotten, since it was given for another server.")
    print(changed.id)


@commands.command()
def remove(connection: Id) -> None:
    """Disconnect a service, and forget its key."""
    with opened() as services:
        found = services.connections.find(connection)
        services.connections.remove(found.id)
    say(f"Disconnected: {found.title}")


def _print_models(models: tuple[OfferedModel, ...], as_json: bool) -> None:
    if as_json:
        print_json(models)
        return
    print_table(
        ("ID", "Name", "Context", "For"),
        [
            (
                model.id,
                model.name,
                f"{model.context_length:,}" if model.context_length else "",
                "vectors" if model.embeds else "chat",
            )
            for model in models
        ],
    )


def _listed(services: Services, connection: Connection) -> ListedConnection:
    keys = {"none": "none", "stored": "kept", "variable": f"from {connection.key_variable}"}
    return ListedConnection(
        id=connection.id,
        title=connection.title,
        provider=connection.provider,
        url=connection.url,
        leaves=services.connections.leaves(connection),
        key=keys[connection.key_place],
        models=len(services.connections.models(connection.id)),
    )


def _where(connection: ListedConnection) -> str:
    return "leaves this computer" if connection.leaves else "on this computer"
