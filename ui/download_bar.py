"""How far a download is: a bar, the bytes, the speed and the time left."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text, speed_text, time_left_text
from catalog.downloads.fetch import DownloadProgress
from ui.kit import Label, Meter
from ui.theme import Theme


class DownloadBar(QWidget):
    """Shows the progress of one download, or of what follows it, in one place of fixed height."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._meter = Meter(theme, self.tr("Progress"))
        self._amount = Label(theme, "", "small", "text3", tabular=True)
        self._pace = Label(theme, "", "small", "text3", tabular=True)
        self._pace.setAlignment(Qt.AlignmentFlag.AlignRight)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._meter)
        figures = QHBoxLayout()
        figures.addWidget(self._amount)
        figures.addStretch(1)
        figures.addWidget(self._pace)
        column.addLayout(figures)

    @property
    def words(self) -> str:
        """What it says now, for a screen reader."""
        return f"{self._amount.text()} {self._pace.text()}".strip()

    def show_progress(self, progress: DownloadProgress) -> None:
        total = progress.total if progress.stage == "downloading" else None
        self._meter.set_fraction(progress.done / total if total else None)
        self._amount.setText(self._amount_words(progress))
        self._pace.setText(self._pace_words(progress))
        self._meter.setAccessibleDescription(self.words)

    def show_words(self, words: str) -> None:
        """Something of unknown length is going on."""
        self._meter.set_fraction(None)
        self._amount.setText(words)
        self._pace.setText("")
        self._meter.setAccessibleDescription(words)

    def _amount_words(self, progress: DownloadProgress) -> str:
        match progress.stage:
            case "finding":
                return self.tr("Looking for the file…")
            case "verifying":
                return self.tr("Checking the file…")
            case "unpacking":
                return self.tr("Unpacking…")
            case "downloading":
                done = bytes_text(progress.done)
                if progress.total is None:
                    return done
                total = bytes_text(progress.total)
                return self.tr("{done} of {total}").format(done=done, total=total)

    def _pace_words(self, progress: DownloadProgress) -> str:
        if progress.stage != "downloading" or progress.bytes_per_second <= 0:
            return ""
        words = (speed_text(progress.bytes_per_second), time_left_text(progress.seconds_left))
        return " · ".join(word for word in words if word)
