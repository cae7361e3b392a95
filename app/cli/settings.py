"""`causeway settings`: what the settings page shows, and the Hub token."""

import getpass
import sys
from typing import Annotated

import typer

from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from app.formatting import shortened
from app.logs import without_credentials
from app.options import Value
from app.settings import SETTINGS, Setting

_SWITCHES = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}

_BY_KEY = {setting.key: setting for setting in SETTINGS}


def settings(
    key: Annotated[str, typer.Argument(help="A setting. Left out: list them all.")] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VALUE]...", help="Its new value; several for a list."),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Give it its default back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the settings, show one, or change it."""
    if key and key not in _BY_KEY:
        raise AppError(
            f"There is no setting called “{key}”.", fix=f"The settings are {', '.join(_BY_KEY)}."
        )
    with opened() as services:
        if key and (values or reset):
            setting = _BY_KEY[key]
            value = setting.default if reset else _value(setting, values or [])
            services.settings.update(**{key: value})
        current = services.settings.current
    shown = {each: getattr(current, each) for each in ([key] if key else _BY_KEY)}
    shown = {each: _without_passwords(value) for each, value in shown.items()}
    if as_json:
        print_json(shown)
    elif key:
        print(_words(shown[key]))
    else:
        print_table(
            ("Key", "Value", "What it is"),
            [(each, _words(value), _BY_KEY[each].help) for each, value in shown.items()],
        )


def token(
    action: Annotated[str, typer.Argument(metavar="set|test|remove", help="What to do with it.")],
) -> None:
    """Set, test or remove the Hub token. It is kept in the system's keyring."""
    with opened() as services:
        if action == "set":
            given = getpass.getpass("Hub token: ") if sys.stdin.isatty() else sys.stdin.readline()
            services.secrets.set_hub_token(given)
            say("The token is kept in the system's keyring.")
        elif action == "test":
            held = services.secrets.hub_token()
            if not held:
                raise AppError("No token is set.", fix="“causeway token set” sets one.")
            print(services.hub.check_token(held))
        elif action == "remove":
            services.secrets.remove_hub_token()
            say("The token is gone from the system's keyring.")
        else:
            raise typer.BadParameter("It is one of set, test and remove.")


def _value(setting: Setting, values: list[str]) -> Value | bool | tuple[str, ...]:
    if setting.kind == "list":
        return tuple(values)
    text = " ".join(values)
    if setting.kind == "switch":
        if text.casefold() not in _SWITCHES:
            raise AppError(
                f"“{shortened(text)}” is no value for {setting.key}.", fix="It takes on or off."
            )
        return _SWITCHES[text.casefold()]
    if setting.kind == "number" or (setting.kind == "choice" and isinstance(setting.default, int)):
        try:
            return int(text)
        except ValueError:
            raise AppError(
                f"“{shortened(text)}” is no value for {setting.key}.",
                fix="It takes a whole number.",
            ) from None
    return text


def _without_passwords(value: object) -> object:
    """A list may end up in a bug report; the address of a proxy may hold a password."""
    if isinstance(value, tuple):
        return tuple(without_credentials(str(item)) for item in value)
    return without_credentials(value) if isinstance(value, str) else value


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "\n".join(str(item) for item in value)
    return str(value)
