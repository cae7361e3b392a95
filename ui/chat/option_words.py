"""The values of a chat's settings, in words."""

from PySide6.QtCore import QCoreApplication

from app.options import Option, Value


def option_words(option: Option, value: Value) -> str:
    """A value as a person reads it: by its name where it has one, else as a number."""
    if option.neutral is not None and value == option.neutral:
        return QCoreApplication.translate("Options", option.neutral_title)
    if isinstance(value, str):
        return value
    return f"{value:,}" if option.kind == "integer" else f"{value:.{option.decimals}f}"
