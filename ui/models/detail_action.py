"""What to do with the quant that is chosen: fetch it, watch it come, chat with it."""

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.formatting import bytes_text
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel
from ui.kit import Button, ElidedLabel, Label, Meter, Paragraph
from ui.models.detail_offers import Offer
from ui.models.download_words import amount_words, fraction_of, pace_words
from ui.theme import Theme

_HEIGHT = 36

Does = Literal["download", "chat", "pause", "nothing"]


class ActionArea(QWidget):
    """One primary button, and the progress of what it began.

    Signals:
        download_requested, chat_requested, pause_requested, show_downloads_requested
    """

    download_requested = Signal()
    chat_requested = Signal()
    pause_requested = Signal()
    show_downloads_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._does: Does = "nothing"
        self._main = _wide(Button(theme, self.tr("Download"), "primary"))
        self._pause = _wide(Button(theme, self.tr("Pause"), icon="pause"))
        self._meter = Meter(theme, self.tr("Progress"))
        self._amount = Label(theme, "", "small", "text2", tabular=True)
        self._pace = ElidedLabel(theme, "", "small", "text3", tabular=True)
        self._all = Button(theme, self.tr("Show downloads"), "link")
        self._words = Paragraph(theme, "", "small")
        self._progress = self._make_progress()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._progress)
        column.addWidget(self._words)
        column.addWidget(self._main)
        column.addWidget(self._pause)
        self._main.clicked.connect(self._act)
        self._pause.clicked.connect(self.pause_requested)
        self._all.clicked.connect(self.show_downloads_requested)

    def show_offer(self, offer: Offer, warning: str = "") -> None:
        """It can be fetched."""
        words = self.tr("Download {quant}").format(quant=offer.quant).strip()
        size = ""
        if offer.file_bytes:
            exact = offer.size_is_exact and not offer.extra
            size = bytes_text(offer.file_bytes, digits=2 if exact else 1)
        self._main.set_words(words, "download-simple", size)
        self._main.setAccessibleName(f"{words}, {size}" if size else words)
        self._show("download", words=warning)

    def show_download(self, state: DownloadState) -> None:
        """It is on its way, or was."""
        self._amount.setText(amount_words(state))
        self._pace.setText(pace_words(state))
        self._meter.set_fraction(fraction_of(state) if state.total or state.done else 0.0)
        self._meter.set_still(state.phase != "running")
        match state.phase:
            case "failed":
                problem = state.problem
                parts = (problem.what, problem.why, problem.fix) if problem else ()
                self._main.set_words(self.tr("Try again"), "arrow-clockwise")
                self._show("download", words=" ".join(part for part in parts if part))
            case "paused":
                self._main.set_words(self.tr("Resume"), "play")
                self._show("download", progress=True)
            case _:
                self._show("pause", progress=True)

    def show_installed(self, model: InstalledModel) -> None:
        """It is here."""
        if model.kind in ("chat", "completion"):
            self._main.set_words(self.tr("Chat"), "chat-circle-text")
            self._main.setAccessibleName(self.tr("Chat with {name}").format(name=model.name))
            self._show("chat")
        elif model.kind == "adapter":
            self._show("nothing", words=self.tr("This adapter is on this computer."))
        else:
            self._show("nothing", words=self.tr("This model is on this computer."))

    def take_focus(self) -> None:
        self._main.setFocus()

    def _make_progress(self) -> QWidget:
        progress = QWidget()
        line = QHBoxLayout()
        line.addWidget(self._amount)
        line.addStretch(1)
        line.addWidget(self._all)
        column = QVBoxLayout(progress)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(self._meter)
        column.addWidget(self._pace)
        return progress

    def _show(self, does: Does, *, progress: bool = False, words: str = "") -> None:
        had_focus = self._main.hasFocus() or self._pause.hasFocus()
        self._does = does
        self._main.setVisible(does in ("download", "chat"))
        self._pause.setVisible(does == "pause")
        self._progress.setVisible(progress)
        self._words.set_text(words)
        self._words.setVisible(bool(words))
        if had_focus:
            # Where the button under the keys becomes another, the keys stay.
            (self._pause if does == "pause" else self._main).setFocus()

    def _act(self) -> None:
        if self._does == "chat":
            self.chat_requested.emit()
        elif self._does == "download":
            self.download_requested.emit()


def _wide(button: Button) -> Button:
    button.setFixedHeight(_HEIGHT)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
