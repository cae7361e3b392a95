"""The line that explains the setting under the pointer or the focus."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.options import Option, Value
from ui.kit import Panel, Paragraph
from ui.theme import Theme

_HEIGHT = 96


class HelpLine(Panel):
    """What the setting under the pointer or the focus does. Its height is fixed: nothing jumps."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "t", parent)
        self._words = Paragraph(theme, "", "small")
        column = QVBoxLayout(self)
        column.setContentsMargins(15, 10, 16, 8)
        column.addWidget(self._words, 0, Qt.AlignmentFlag.AlignTop)
        self.setFixedHeight(_HEIGHT)
        self.show_option(None, 0)

    def show_option(self, option: Option | None, default: Value) -> None:
        if option is None:
            self._words.set_text(
                self.tr("They apply to this chat. Point at one to see what it does.")
            )
            return
        words = self.tr("{help} Default: {default}.").format(
            help=self.tr(option.help), default=self._value_text(option, default)
        )
        if option.reloads:
            reloading = self.tr("The model loads again at the next message.")
            words = f"{words} {reloading}"
        self._words.set_text(words, f"{self.tr(option.title)}.")

    def _value_text(self, option: Option, value: Value) -> str:
        if option.neutral is not None and value == option.neutral:
            return self.tr(option.neutral_title)
        return f"{value:,}" if option.kind == "integer" else f"{float(value):.{option.decimals}f}"
