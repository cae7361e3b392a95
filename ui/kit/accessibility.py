"""What screen readers hear of controls whose Qt class says something else than what is shown.

Qt reads a slider's steps, a number's value where words stand for it, and on Linux a combo box by its
value instead of its name.
"""

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAccessibleValueInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget
from shiboken6 import Shiboken, VoidPtr

from ui.kit.fields import ComboBox, NumberField
from ui.kit.meter import Meter
from ui.kit.slider import Slider

_Text = QAccessible.Text
_Kind = QAccessible.InterfaceType


def install_accessibility() -> None:
    """Once a program, before a screen reader asks."""
    QAccessible.installFactory(_interface_of)


def _interface_of(key: str, widget: QObject) -> QAccessibleInterface | None:
    match widget:
        case Slider():
            return _SpokenSlider(widget)
        case NumberField():
            return _SpokenNumber(widget)
        case ComboBox():
            return _SpokenCombo(widget)
        case Meter():
            return _SpokenMeter(widget)
        case _:
            return None


class _Spoken(QAccessibleWidget):
    """Reads the widget's accessible name as its name, and `words` as its value."""

    def text(self, kind: QAccessible.Text) -> str:
        widget = self.object()
        if kind == _Text.Value:
            return self.words(widget)
        if kind == _Text.Name and isinstance(widget, QWidget):
            return widget.accessibleName()
        return super().text(kind)

    def words(self, widget: Any) -> str:
        raise NotImplementedError


class _SpokenRange(_Spoken):
    """One with a number in a range, as a screen reader may ask for it and set it."""

    def __init__(self, widget: QWidget, role: QAccessible.Role) -> None:
        super().__init__(widget, role)
        self._number = _Number(self)

    def interface_cast(self, kind: QAccessible.InterfaceType) -> Any:
        if kind == _Kind.ValueInterface:
            return VoidPtr(Shiboken.getCppPointer(self._number)[0])
        return super().interface_cast(kind)

    def range_of(self, widget: Any) -> tuple[float, float, float, float]:
        """The number, the smallest, the largest, and the step from one to the next."""
        raise NotImplementedError

    def set_number(self, widget: Any, number: float) -> None:
        """A screen reader sets it; not all can be set."""


class _Number(QAccessibleValueInterface):
    def __init__(self, owner: _SpokenRange) -> None:
        super().__init__()
        self._owner = owner

    def currentValue(self) -> float:
        return self._range()[0]

    def setCurrentValue(self, value: Any) -> None:
        self._owner.set_number(self._owner.object(), float(value))

    def minimumValue(self) -> float:
        return self._range()[1]

    def maximumValue(self) -> float:
        return self._range()[2]

    def minimumStepSize(self) -> float:
        return self._range()[3]

    def _range(self) -> tuple[float, float, float, float]:
        return self._owner.range_of(self._owner.object())


class _SpokenSlider(_SpokenRange):
    def __init__(self, slider: Slider) -> None:
        super().__init__(slider, QAccessible.Role.Slider)

    def words(self, widget: Slider) -> str:
        return widget.words

    def range_of(self, widget: Slider) -> tuple[float, float, float, float]:
        return widget.number, *widget.range

    def set_number(self, widget: Slider, number: float) -> None:
        widget.move_to(number)


class _SpokenNumber(_SpokenRange):
    def __init__(self, field: NumberField) -> None:
        super().__init__(field, QAccessible.Role.SpinBox)

    def words(self, widget: NumberField) -> str:
        return widget.text()

    def range_of(self, widget: NumberField) -> tuple[float, float, float, float]:
        return widget.value(), widget.minimum(), widget.maximum(), widget.singleStep()

    def set_number(self, widget: NumberField, number: float) -> None:
        widget.setValue(number)

    def childCount(self) -> int:
        return 0

    def interface_cast(self, kind: QAccessible.InterfaceType) -> Any:
        field = self.object()
        if kind in (_Kind.TextInterface, _Kind.EditableTextInterface):
            # What is typed is read and edited in the line inside.
            assert isinstance(field, NumberField)
            return QAccessible.queryAccessibleInterface(field.lineEdit()).interface_cast(kind)
        return super().interface_cast(kind)


class _SpokenMeter(_SpokenRange):
    def __init__(self, meter: Meter) -> None:
        super().__init__(meter, QAccessible.Role.ProgressBar)

    def words(self, widget: Meter) -> str:
        return "" if widget.fraction is None else f"{widget.fraction:.0%}"

    def range_of(self, widget: Meter) -> tuple[float, float, float, float]:
        return round((widget.fraction or 0.0) * 100), 0, 100, 1


class _SpokenCombo(_Spoken):
    def __init__(self, combo: ComboBox) -> None:
        super().__init__(combo, QAccessible.Role.ComboBox)

    def words(self, widget: ComboBox) -> str:
        return widget.currentText()

    def childCount(self) -> int:
        return 1

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        combo = self.object()
        if index or not isinstance(combo, ComboBox):
            return None
        return QAccessible.queryAccessibleInterface(combo.view())

    def actionNames(self) -> list[str]:
        return ["ShowMenu", *super().actionNames()]

    def doAction(self, name: str) -> None:
        combo = self.object()
        if name == "ShowMenu" and isinstance(combo, ComboBox):
            combo.showPopup()
        else:
            super().doAction(name)
