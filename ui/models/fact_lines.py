"""Facts in two columns: what it is on the left, how it is on the right."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.kit import ElidedLabel, Label
from ui.theme import Theme


class Fact(NamedTuple):
    title: str
    value: str


class FactLines(QWidget):
    """One line a fact; a value that is too long ends in an ellipsis, and its tooltip has it whole."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: list[tuple[Label, ElidedLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)

    def show_lines(self, facts: Sequence[Fact]) -> None:
        """Show these, in this order."""
        while len(self._lines) < len(facts):
            self._add_line()
        for number, (title, value) in enumerate(self._lines):
            shown = number < len(facts)
            title.setVisible(shown)
            value.setVisible(shown)
            if shown:
                title.setText(facts[number].title)
                value.setText(facts[number].value)
                value.setAccessibleName(f"{facts[number].title}: {facts[number].value}")

    def _add_line(self) -> None:
        title = Label(self._theme, "", role="text2")
        value = ElidedLabel(self._theme, "", tabular=True)
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        number = len(self._lines)
        self._grid.addWidget(title, number, 0)
        self._grid.addWidget(value, number, 1)
        self._lines.append((title, value))
