"""The settings of the inspector: one row for each kind of option."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.options import Option
from ui.chat.option_row import TITLE_WIDTH, OptionRow
from ui.chat.rows.choice_row import ChoiceRow
from ui.chat.rows.number_row import NumberRow
from ui.chat.rows.order_row import OrderRow
from ui.chat.rows.switch_row import SwitchRow
from ui.chat.rows.text_row import TextRow
from ui.theme import Theme

__all__ = ["align_titles", "option_row"]


def option_row(theme: Theme, option: Option, parent: QWidget | None = None) -> OptionRow:
    """A row for any option but adapters, which have a section of their own."""
    match option.kind:
        case "integer" | "number":
            return NumberRow(theme, option, parent)
        case "choice":
            return ChoiceRow(theme, option, parent)
        case "switch":
            return SwitchRow(theme, option, parent)
        case "order":
            return OrderRow(theme, option, parent)
        case _:
            return TextRow(theme, option, parent)


def align_titles(rows: Sequence[OptionRow]) -> None:
    """Let the controls of a section begin at one edge."""
    width = max([TITLE_WIDTH, *(row.title_width for row in rows)])
    for row in rows:
        row.set_title_width(width)
