"""One setting of the inspector: its title, its control, and the way back to its default."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.options import Option, Value
from ui.kit import IconButton, Label, NumberField, Paragraph, Slider
from ui.theme import Theme

_TITLE_WIDTH = 100
_NUMBER_WIDTH = 52
_RESET_BOX = 20


class OptionRow(QWidget):
    """A number. One with a value in words ("Random") is only typed, any other slides as well.

    Signals:
        changed(str, object): key and value; a person changed it.
        reset_requested(str): key; back to the default.
        pointed_at(object): the option that pointer or focus came to, or None when they left.
    """

    changed = Signal(str, object)
    reset_requested = Signal(str)
    pointed_at = Signal(object)

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.option = option
        self._value: Value = option.default
        self._default: Value = option.default
        self._title = Label(theme, self.tr(option.title), "body", "text2")
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
        self._slider = self._make_slider(theme) if option.neutral is None else None
        self._reset = IconButton(
            theme,
            "arrow-counter-clockwise",
            self.tr("Reset {title}").format(title=self.tr(option.title)),
            box=_RESET_BOX,
            size=13,
        )
        self._words = Paragraph(theme, "", "small", "warn")
        self._lay_out()
        self._field.valueChanged.connect(self._number_changed)
        self._reset.clicked.connect(self._request_reset)
        for control in (self._slider, self._field, self._reset):
            if control is not None:
                control.installEventFilter(self)
        self.show_value(option.default, option.default)

    @property
    def value(self) -> Value:
        return self._value

    def show_value(self, value: Value, default: Value) -> None:
        """Show a value, and the way back where it is not the default."""
        self._value = value
        self._default = default
        self._field.blockSignals(True)
        self._field.setValue(float(value))
        self._field.blockSignals(False)
        if self._slider is not None:
            self._slider.set_default(float(default))
            self._slider.set_number(float(value))
        self._show_reset()

    def show_words(self, words: str) -> None:
        """What should be known about the value, under the control; empty for nothing."""
        self._words.set_text(words)
        self._words.setVisible(bool(words))

    def enterEvent(self, event: QEnterEvent) -> None:
        self.pointed_at.emit(self.option)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed_at.emit(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.pointed_at.emit(self.option)
            if watched is self._field and self._value == self.option.neutral:
                # Words can't be edited into a number, only replaced: typing must do that.
                QTimer.singleShot(0, self._field, self._field.selectAll)
        elif event.type() == QEvent.Type.FocusOut:
            self.pointed_at.emit(None)
        return False

    def _make_slider(self, theme: Theme) -> Slider:
        option = self.option
        slider = Slider(
            theme,
            self.tr(option.title),
            minimum=option.minimum,
            maximum=option.maximum,
            step=option.step,
        )
        slider.setAccessibleDescription(self.tr(option.help))
        slider.number_changed.connect(self._number_changed)
        return slider

    def _lay_out(self) -> None:
        line = QGridLayout()
        line.setContentsMargins(0, 4, 0, 4)
        line.setHorizontalSpacing(4)
        self._title.setFixedWidth(_TITLE_WIDTH)
        line.addWidget(self._title, 0, 0)
        if self._slider is not None:
            self._field.setFixedWidth(_NUMBER_WIDTH)
            line.addWidget(self._slider, 0, 1)
            line.addWidget(self._reset, 0, 2)
            _keep_place(self._reset)
            line.addWidget(self._field, 0, 3)
        else:
            # The words of a default need the whole width, a number leaves room for the button.
            self._field.setMinimumWidth(_NUMBER_WIDTH)
            line.addWidget(self._field, 0, 1)
            inside = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            line.addWidget(self._reset, 0, 1, inside)
            self._reset.raise_()
        line.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._words)
        self._words.hide()

    def _number_changed(self, number: float) -> None:
        value: Value = int(number) if self.option.kind == "integer" else round(number, 6)
        if value == self._value:
            return
        self.show_value(value, self._default)
        self.changed.emit(self.option.key, value)

    def _request_reset(self) -> None:
        self.show_value(self._default, self._default)
        (self._slider or self._field).setFocus(Qt.FocusReason.OtherFocusReason)
        self.reset_requested.emit(self.option.key)

    def _show_reset(self) -> None:
        self._reset.setVisible(self._value != self._default)


def _keep_place(widget: QWidget) -> None:
    policy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)
