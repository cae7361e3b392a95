"""A setting that is on or off."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.options import Option, Value
from ui.chat.option_row import OptionRow
from ui.kit import Switch
from ui.theme import Theme


class SwitchRow(OptionRow):
    """Title, and a switch at the right."""

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(theme, option, parent)
        self._switch = Switch(theme, self.tr(option.title))
        self._switch.setAccessibleDescription(self.tr(option.help))
        self._switch.clicked.connect(self._switched)
        self.watch(self._switch)
        line = QHBoxLayout()
        line.setContentsMargins(0, 4, 0, 4)
        line.setSpacing(8)
        line.addWidget(self._title)
        line.addStretch(1)
        line.addWidget(self._reset)
        line.addWidget(self._switch)
        self.put_lines(line)
        self.show_value(option.default, option.default)

    def show_control(self, value: Value, default: Value) -> None:
        self._switch.setChecked(bool(value))

    def main_control(self) -> QWidget:
        return self._switch

    def _switched(self, on: bool) -> None:
        self.take(int(on))
