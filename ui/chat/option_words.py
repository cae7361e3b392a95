"""The values of a chat's settings, in words."""

from PySide6.QtCore import QCoreApplication

from app.options import Option, Value


def _tr(words: str) -> str:
    return QCoreApplication.translate("Options", words)


def option_words(option: Option, value: Value) -> str:
    """A value as a person reads it: by its name where it has one, else as a number."""
    for choice in option.choices:
        if choice.value == value:
            return _tr(choice.title)
    if option.kind == "switch":
        return _tr("On") if value else _tr("Off")
    if option.neutral is not None and value == option.neutral:
        return _tr(option.neutral_title)
    if isinstance(value, str):
        return value
    return f"{value:,}" if option.kind == "integer" else f"{value:.{option.decimals}f}"
