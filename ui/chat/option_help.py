"""The line that explains the setting under the pointer or the focus."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.options import CHAT_OPTIONS, Option, Value
from ui.chat.option_words import option_words
from ui.kit import Panel, Paragraph
from ui.theme import Theme

_MARGINS = (15, 10, 16, 8)


class HelpLine(Panel):
    """What the setting under the pointer or the focus does.

    It is as high as the longest of these texts needs in the font at hand: nothing jumps.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "t", parent)
        self._words = Paragraph(theme, "", "small")
        column = QVBoxLayout(self)
        column.setContentsMargins(*_MARGINS)
        column.addWidget(self._words, 0, Qt.AlignmentFlag.AlignTop)
        width = theme.size("inspector") - _MARGINS[0] - _MARGINS[2]
        self.setFixedHeight(self._tallest(width) + _MARGINS[1] + _MARGINS[3])
        self.show_option(None, 0)

    def show_option(self, option: Option | None, default: Value) -> None:
        if option is None:
            self._words.set_text(
                self.tr("They apply to this chat. Point at one to see what it does.")
            )
            return
        words = self.tr(option.help)
        if option.is_number or option.kind in ("choice", "switch"):
            words = self.tr("{help} Default: {default}.").format(
                help=words, default=option_words(option, default)
            )
        if option.reloads:
            reloading = self.tr("The model loads again at the next message.")
            words = f"{words} {reloading}"
        self._words.set_text(words, f"{self.tr(option.title)}.")

    def show_words(self, title: str, words: str) -> None:
        """What something else does, such as a preset; an empty title for nothing."""
        if title:
            self._words.set_text(words, f"{title}.")
        else:
            self.show_option(None, 0)

    def _tallest(self, width: int) -> int:
        heights = []
        for option in CHAT_OPTIONS:
            if option.section not in ("prompt", "template", "adapters"):
                self.show_option(option, option.default)
                heights.append(self._words.heightForWidth(width))
        return max(heights)
