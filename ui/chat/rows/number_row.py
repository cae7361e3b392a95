"""A setting that is a number."""

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QGridLayout, QWidget

from app.options import Option, Value
from ui.chat.option_row import OptionRow, keep_place
from ui.kit import NumberField, Slider
from ui.theme import Theme

_NUMBER_WIDTH = 52


class NumberRow(OptionRow):
    """One with a value in words ("Random") is only typed, any other slides as well."""

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(theme, option, parent)
        self._field = NumberField(
            theme,
            self.tr(option.title),
            minimum=option.minimum,
            maximum=option.maximum,
            step=option.step,
            decimals=option.decimals,
            special=self.tr(option.neutral_title),
        )
        self._field.setAccessibleDescription(self.tr(option.help))
        self._field.valueChanged.connect(self._number_changed)
        self._slider = self._make_slider() if option.neutral is None else None
        self._lay_out()
        self.watch(self._field)
        self.show_value(option.default, option.default)

    @property
    def title_width(self) -> int:
        return self._title.sizeHint().width()

    def show_control(self, value: Value, default: Value) -> None:
        self._field.blockSignals(True)
        self._field.setValue(float(value))
        self._field.blockSignals(False)
        if self._slider is not None:
            self._slider.set_default(float(default))
            self._slider.set_number(float(value))

    def main_control(self) -> QWidget:
        return self._slider or self._field

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        typed = watched is self._field and self.value == self.option.neutral
        if event.type() == QEvent.Type.FocusIn and typed:
            # Words can't be edited into a number, only replaced: typing must do that.
            QTimer.singleShot(0, self._field, self._field.selectAll)
        return super().eventFilter(watched, event)

    def _make_slider(self) -> Slider:
        option = self.option
        slider = Slider(
            self.theme,
            self.tr(option.title),
            minimum=option.minimum,
            maximum=option.maximum,
            step=option.step,
            decimals=option.decimals,
        )
        slider.setAccessibleDescription(self.tr(option.help))
        slider.number_changed.connect(self._number_changed)
        self.watch(slider)
        return slider

    def _lay_out(self) -> None:
        if self._slider is None:
            # The words of a default need the whole width, a number leaves room for the button.
            self._field.setMinimumWidth(_NUMBER_WIDTH)
            self.put_beside_title(self._field)
            return
        line = QGridLayout()
        line.setContentsMargins(0, 4, 0, 4)
        line.setHorizontalSpacing(4)
        self._field.setFixedWidth(_NUMBER_WIDTH)
        line.addWidget(self._title, 0, 0)
        line.addWidget(self._slider, 0, 1)
        line.addWidget(self._reset, 0, 2)
        keep_place(self._reset)
        line.addWidget(self._field, 0, 3)
        line.setColumnStretch(1, 1)
        self.put_lines(line)

    def _number_changed(self, number: float) -> None:
        self.take(int(number) if self.option.kind == "integer" else round(number, 6))
