"""How far a download is: a bar, the bytes, the speed and the time left."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from catalog.downloads.wanted import DownloadState
from ui.kit import ElidedLabel, Label, Meter
from ui.models.download_words import amount_words, fraction_of, pace_words
from ui.theme import Theme


class DownloadBar(QWidget):
    """Shows the progress of one download, or of what follows it, in one place of fixed height."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._meter = Meter(theme, self.tr("Progress"))
        self._amount = ElidedLabel(theme, "", "small", "text3", tabular=True)
        self._pace = Label(theme, "", "small", "text3", tabular=True)
        self._pace.setAlignment(Qt.AlignmentFlag.AlignRight)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._meter)
        figures = QHBoxLayout()
        figures.addWidget(self._amount, 1)
        figures.addWidget(self._pace)
        column.addLayout(figures)

    @property
    def words(self) -> str:
        """What it says now, for a screen reader."""
        return f"{self._amount.text()} {self._pace.text()}".strip()

    def show_download(self, state: DownloadState) -> None:
        fetching = state.phase == "running" and state.stage == "downloading"
        self._meter.set_fraction(fraction_of(state) if fetching else None)
        held_up = fetching and state.note
        # There is no room for both, and how much is here is seen above.
        self._amount.setText(pace_words(state) if held_up else amount_words(state))
        self._pace.setText("" if held_up else pace_words(state))
        self._meter.setAccessibleDescription(self.words)

    def show_words(self, words: str) -> None:
        """Something of unknown length is going on."""
        self._meter.set_fraction(None)
        self._amount.setText(words)
        self._pace.setText("")
        self._meter.setAccessibleDescription(words)
