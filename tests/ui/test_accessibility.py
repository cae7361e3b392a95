"""What a screen reader hears and where the keys go, on every page of the real window."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.paths import paths_under
from tests.ui.tab_order import tab_stops
from tests.ui.tour import Tour, furnish
from tests.ui.whole_window import whole_window
from ui.kit import ComboBox, NumberField, Slider, Toast
from ui.kit.accessibility import install_accessibility
from ui.main_window import MainWindow
from ui.theme import Theme

Text = QAccessible.Text


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, tmp_path: object) -> Iterator[MainWindow]:
    install_accessibility()
    paths = paths_under(tmp_path / "home")  # type: ignore[operator]
    with whole_window(theme, paths, furnish(paths), QSize(1280, 800)) as window:
        qtbot.waitUntil(lambda: window.is_ready, timeout=30_000)
        yield window


def test_every_page_is_told_as_it_is_seen(window: MainWindow, qtbot: QtBot) -> None:
    wrong: dict[str, None] = {}
    for page in Tour(window, qtbot).stops():
        for toast in window.findChildren(Toast):
            toast.dismiss()  # it comes when it likes, and belongs to no page
        QApplication.processEvents()
        for words in (*badly_named(window), *badly_ordered(window), *badly_stepped(window)):
            wrong[f"{page}: {words}"] = None
    assert not wrong, "\n".join(wrong)


def interfaces(root: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    """Those that can be seen, from the root down."""
    for number in range(root.childCount()):
        child = root.child(number)
        if child is not None and child.isValid() and not child.state().invisible:
            yield child
            yield from interfaces(child)


def badly_named(window: QWidget) -> Iterator[str]:
    """Controls without a name, named by their value, or with a value that is not what is shown."""
    for each in interfaces(QAccessible.queryAccessibleInterface(window)):
        widget = each.object()
        if not each.state().focusable or not isinstance(widget, QWidget):
            continue
        name, value = each.text(Text.Name), each.text(Text.Value)
        kind = type(widget).__name__
        if not name.strip():
            yield f"a {kind} without a name, {value!r}"
        elif name == value:
            yield f"a {kind} named by its value, {value!r}"
        match widget:
            case Slider():
                shown = {
                    field.text()
                    for field in window.findChildren(NumberField)
                    if field.accessibleName() == widget.accessibleName()
                }
                if value not in shown:
                    yield f"{name} is {value!r}, and shows {shown}"
                if each.valueInterface().currentValue() != widget.number:
                    yield f"{name} counts {each.valueInterface().currentValue()}"
            case NumberField() if value != widget.text():
                yield f"{name} is {value!r}, and shows {widget.text()!r}"
            case ComboBox() if value != widget.currentText():
                yield f"{name} is {value!r}, and shows {widget.currentText()!r}"


def badly_ordered(window: QWidget) -> Iterator[str]:
    """Neighbours in the tree of which the second stands before the first."""
    for each in interfaces(QAccessible.queryAccessibleInterface(window)):
        children = [each.child(number) for number in range(each.childCount())]
        seen = [
            child
            for child in children
            if child is not None
            and isinstance(child.object(), QWidget)
            and not child.state().invisible
            and not child.rect().isEmpty()
        ]
        for one, other in pairwise(seen):
            if stands_before(other.rect(), one.rect()):
                yield f"{described(other.object())} comes after {described(one.object())}"


def badly_stepped(window: QWidget) -> Iterator[str]:
    """Stops of the Tab key of which the second stands before the first."""
    for one, other in pairwise(tab_stops(window)):
        if stands_before(place_of(other), place_of(one)):
            yield f"Tab goes from {described(one)} to {described(other)}"


def stands_before(one: QRect, other: QRect) -> bool:
    """Whether a reader comes to the first of two places first."""
    above = one.bottom() < other.top() and one.left() <= other.right()
    left = one.right() < other.left() and one.center().y() <= other.bottom()
    return above or left


def place_of(widget: QWidget) -> QRect:
    return QRect(widget.mapToGlobal(widget.rect().topLeft()), widget.size())


def described(widget: object) -> str:
    assert isinstance(widget, QWidget)
    words = widget.accessibleName() or getattr(widget, "text", str)()
    return f"{type(widget).__name__} “{words}”"
