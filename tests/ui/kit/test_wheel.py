"""The wheel scrolls a page, whatever lies below the pointer; the keys change values."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.kit import ComboBox, NumberField, Slider
from ui.theme import Theme

Control = ComboBox | NumberField | Slider


def number(theme: Theme) -> NumberField:
    field = NumberField(theme, "Top-k")
    field.setValue(40)
    return field


def combo(theme: Theme) -> ComboBox:
    box = ComboBox(theme, "Theme", [("System", "system"), ("Light", "light"), ("Dark", "dark")])
    box.select("light")
    return box


def slider(theme: Theme) -> Slider:
    bar = Slider(theme, "Temperature")
    bar.set_number(0.5)
    return bar


@pytest.mark.parametrize("focused", [False, True])
@pytest.mark.parametrize("make", [number, combo, slider])
def test_the_wheel_scrolls_the_page_and_the_keys_change_the_value(
    theme: Theme, qtbot: QtBot, make: Callable[[Theme], Control], focused: bool
) -> None:
    area = QScrollArea()
    qtbot.addWidget(area)
    page = QWidget()
    column = QVBoxLayout(page)
    control = make(theme)
    column.addWidget(control)
    column.addSpacing(2000)
    area.setWidget(page)
    area.resize(400, 200)
    area.show()
    if focused:
        control.setFocus()
        qtbot.waitUntil(control.hasFocus)
    changed: list[object] = []
    signal = control.currentIndexChanged if isinstance(control, ComboBox) else control.valueChanged
    signal.connect(changed.append)

    middle = QPointF(control.mapTo(area, control.rect().center()))
    QTest.wheelEvent(area.windowHandle(), middle, QPoint(0, -120))
    assert area.verticalScrollBar().value() > 0
    assert changed == []

    QTest.keyClick(control, Qt.Key.Key_Down)
    QTest.keyClick(control, Qt.Key.Key_Return)
    assert len(changed) == 1
