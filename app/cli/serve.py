"""`causeway serve`: other programs use the models that Causeway runs."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.interrupts import stopping
from app.cli.opening import opened
from app.cli.output import print_json, say
from app.errors import AppError
from app.following import follow_files
from app.server.config import EVERY_ADDRESS, LOOPBACK_HOSTS, ServerConfig
from app.services import Services
from app.serving import server_config, shown_key
from app.settings import checked_setting

_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.5


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints once the server listens. The key is never part of it."""

    addresses: tuple[str, ...]
    key: bool


def serve(
    model: Annotated[
        str, typer.Option("-m", "--model", help="Load this model before the first request.")
    ] = "",
    host: Annotated[str, typer.Option(help="An address of this computer to listen on.")] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="0: any that is free.")
    ] = None,
    lan: Annotated[
        bool, typer.Option("--lan", help="Let other computers connect. They need the key.")
    ] = False,
    no_key: Annotated[
        bool, typer.Option("--no-key", help="Ask for no key; on this computer only.")
    ] = False,
    origins: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="ORIGIN", help="A page that may connect. Repeatable."),
    ] = None,
    connections: Annotated[
        bool, typer.Option("--connections", help="Offer the models of services, too.")
    ] = False,
    keep_chats: Annotated[
        bool, typer.Option("--keep-chats", help="List what is asked among the chats.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Serve the OpenAI, Ollama and Anthropic APIs until Ctrl+C. What is not said is as in the settings."""
    with opened() as services:
        config = server_config(services.settings.current, services.server_key, asks_key=not no_key)
        changes: dict[str, object] = {}
        if lan:
            changes["host"] = EVERY_ADDRESS
        if host:
            changes["host"] = host
        if port is not None:
            changes["port"] = port
        if origins:
            changes["origins"] = checked_setting("serve_origins", tuple(origins))
        if connections:
            changes["serve_connections"] = True
        if keep_chats:
            changes["keep_chats"] = True
        config = msgspec.structs.replace(config, **changes)
        if no_key and config.host not in LOOPBACK_HOSTS:
            raise AppError(
                "Other computers don't get in without a key.",
                "Everybody in the network could use the models.",
                "Leave out --no-key, or listen on this computer only.",
            )
        if model:
            _load(services, model)
        _serve(services, config, as_json=as_json)


def _serve(services: Services, config: ServerConfig, *, as_json: bool) -> None:
    stopped = threading.Event()
    services.server.start(config)
    end_following = follow_files(services.files_of_choices, services.read_again)
    try:
        addresses = services.server.state.addresses
        if as_json:
            print_json(Serving(addresses=addresses, key=bool(config.key)))
            sys.stdout.flush()
        else:
            for address in addresses:
                print(address, flush=True)
        say(_about_key(services, config))
        with stopping(stopped.set):
            while not stopped.wait(_LOOK_SECONDS):
                state = services.server.state
                if state.problem is not None:
                    raise AppError(*state.problem)
        say("Stopping, after the answers that are being written. Ctrl+C ends them, too.")
    finally:
        end_following()
        services.server.stop(_PATIENCE_SECONDS)


def _load(services: Services, ref: str) -> None:
    """Now rather than with the first request. It stays as long as the settings say."""
    path = Path(ref)
    if path.is_file():
        services.library.add_file(path)
    chosen = services.models.find(ref)
    loading = services.chats.loading(chosen, services.chats.model_options(chosen, {}))
    with services.sessions.use(chosen, loading, lambda fraction: True):
        say(f"{chosen.name} is loaded, as “{chosen.id}”.")


def _about_key(services: Services, config: ServerConfig) -> str:
    if not config.key:
        return "It asks for no key: every program on this computer can use it."
    if services.server_key.lasts:
        return f"Its key ends in {shown_key(config.key)}. “causeway keys server” prints it."
    return f"Its key, for this run only since it can't be kept: {config.key}"
