"""The options of a chat as `--set KEY=VALUE` gives them."""

from collections.abc import Sequence

import typer

from app.errors import AppError
from app.options import CHAT_OPTIONS, Value, checked

SET_HELP = f"Repeatable. The keys: {', '.join(option.key for option in CHAT_OPTIONS)}."


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
