"""The settings of a chat: what there is, which values they take, and which are in force."""

from app.options.option import Choice, Option, Section, Value
from app.options.table import CHAT_OPTIONS
from app.options.values import checked, effective, option

__all__ = [
    "CHAT_OPTIONS",
    "Choice",
    "Option",
    "Section",
    "Value",
    "checked",
    "effective",
    "option",
]
