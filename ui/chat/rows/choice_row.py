"""A setting that is one of a few."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.options import Option, Value
from ui.chat.option_row import OptionRow
from ui.kit import ComboBox
from ui.theme import Theme


class ChoiceRow(OptionRow):
    """Title, and the choices in a list that opens."""

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(theme, option, parent)
        choices = [(self.tr(choice.title), choice.value) for choice in option.choices]
        self._choice = ComboBox(theme, self.tr(option.title), choices, small=True)
        self._choice.setAccessibleDescription(self.tr(option.help))
        self._choice.activated.connect(self._choose)
        # The panel is no wider than it is: a long choice is cut off rather.
        self._choice.setSizeAdjustPolicy(
            ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._choice.setMinimumContentsLength(4)
        self.watch(self._choice)
        line = QHBoxLayout()
        line.setContentsMargins(0, 4, 0, 4)
        line.setSpacing(4)
        line.addWidget(self._title)
        line.addWidget(self._reset)
        line.addWidget(self._choice, 1)
        self.put_lines(line)
        self.show_value(option.default, option.default)

    @property
    def title_width(self) -> int:
        return self._title.sizeHint().width()

    def show_control(self, value: Value, default: Value) -> None:
        self._choice.select(value)

    def main_control(self) -> QWidget:
        return self._choice

    def _choose(self, index: int) -> None:
        self.take(self._choice.itemData(index))
