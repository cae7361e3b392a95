"""What happens before the first word of an answer: loading the model, reading the prompt."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.kit import Label, Meter
from ui.theme import Theme


class ProgressLine(QWidget):
    """A few words, and a bar where it is known how far things are."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = Label(theme, role="text2", tabular=True)
        self._meter = Meter(theme, self.tr("Progress"))
        self._meter.setFixedWidth(96)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._words)
        row.addWidget(self._meter)
        row.addStretch(1)

    def show_progress(self, words: str, fraction: float | None) -> None:
        """`fraction` goes from 0 to 1; None where nobody knows."""
        self._words.setText(words)
        self._meter.setVisible(fraction is not None)
        if fraction is not None:
            self._meter.set_fraction(fraction)
