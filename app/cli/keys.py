"""`causeway keys`: where keys are kept. None is printed but the local server's own, on request."""

import getpass
import os
import sys
from typing import Annotated

import typer

from app.cli.default_group import DefaultGroup
from app.cli.opening import opened
from app.cli.output import print_json, say
from app.errors import AppError
from app.secrets import SecretsState
from app.secrets.sealed_file import PASSPHRASE_VARIABLE
from app.serving import KEY_VARIABLE

commands = typer.Typer(cls=DefaultGroup, help="Where your keys are kept.")


@commands.command("list")
def state(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say where, and whether it can be used."""
    with opened() as services:
        found = services.secrets.state()
    if as_json:
        print_json(found)
    else:
        print(_words(found))


@commands.command("use-file")
def use_file() -> None:
    """Keep keys in a file that a passphrase seals, from now on. What the keyring has moves there."""
    with opened() as services:
        is_new = not services.secrets.state().file_exists
        services.secrets.use_file(_passphrase(is_new=is_new))
    say(f"Keys are kept in a sealed file. Give the passphrase in {PASSPHRASE_VARIABLE}.")


@commands.command("use-keyring")
def use_keyring() -> None:
    """Keep keys in the system's keyring, from now on. What a sealed file has moves there."""
    with opened() as services:
        found = services.secrets.state()
        if found.place == "file" and found.locked:
            services.secrets.unlock(_passphrase(is_new=False))
        services.secrets.use_keyring()
    say("Keys are kept in the system's keyring.")


@commands.command()
def server(
    new: Annotated[bool, typer.Option("--new", help="Make another, and lock out the old.")] = False,
) -> None:
    """Print the key of the local server, for the programs that are to use it."""
    with opened() as services:
        value = services.server_key.renew() if new else services.server_key.value()
        lasts = services.server_key.lasts
    if not lasts:
        raise AppError(
            "The server has no key that lasts.",
            "There is no place here where keys can be kept, so each start makes another.",
            f"Give one in {KEY_VARIABLE}, or choose a sealed file (“causeway keys use-file”).",
        )
    print(value)


def _passphrase(*, is_new: bool) -> str:
    given = os.environ.get(PASSPHRASE_VARIABLE, "")
    if given:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass.getpass("Passphrase: ")
    if is_new and getpass.getpass("Once more: ") != given:
        raise AppError("The two are not the same.", fix="Try again.")
    return given


def _words(state: SecretsState) -> str:
    if not state.usable:
        return f"Keys can't be kept or read at the moment. {state.reason}"
    place = "a sealed file" if state.place == "file" else "the system's keyring"
    return f"Keys are kept in {place}."
