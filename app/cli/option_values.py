"""The options of a chat as `--set KEY=VALUE` gives them."""

from collections.abc import Sequence
from pathlib import Path

import typer

from app.errors import AppError
from app.options import CHAT_OPTIONS, Value, checked

SET_HELP = f"Repeatable. The keys: {', '.join(option.key for option in CHAT_OPTIONS)}."

_LARGEST_TEXT = 1_000_000


def option_values(settings: Sequence[str]) -> dict[str, Value]:
    """Raises `BadParameter` where one is no option or has no such value."""
    options: dict[str, Value] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"“{setting}” is not of the form KEY=VALUE.")
        try:
            options[key] = checked(key, value)
        except AppError as error:
            raise typer.BadParameter(str(error)) from None
    return options


def read_text(path: Path) -> str:
    """A file's text, for an option. Raises `BadParameter` where it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_TEXT + 1)
    except OSError as error:
        raise typer.BadParameter(f"“{path}” can't be read: {error.strerror}.") from None
    if len(data) > _LARGEST_TEXT:
        raise typer.BadParameter(f"“{path}” is too large for that.")
    return data.decode("utf-8", "replace")
