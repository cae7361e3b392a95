"""The part of the panel that an adapter has: which models it fits, and the way into a chat."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from catalog.adapters.fit import AdapterFit
from catalog.library import InstalledModel
from ui.kit import Button, Label, Paragraph
from ui.theme import Theme

_MOST_SHOWN = 12


class AdapterPart(QWidget):
    """Signals:
    use_requested: use the adapter in the chat, with one of these `InstalledModel`s.
    """

    use_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fitting: tuple[InstalledModel, ...] = ()
        self._use = Button(theme, self.tr("Use in chat"), "primary", "chat-circle-text")
        self._use.setFixedHeight(36)
        self._use.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._use.clicked.connect(self._request)
        self._words = Paragraph(theme)
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._use)
        column.addWidget(Label(theme, self.tr("Fits"), "strong"))
        column.addWidget(self._words)
        column.addLayout(self._list)

    def show_reading(self) -> None:
        """It is not known yet."""
        self._use.setEnabled(False)
        self._words.set_text(self.tr("Comparing with the models that are here…"))
        self._words.show()
        self._clear()

    def show_fits(self, fits: Sequence[tuple[InstalledModel, AdapterFit]]) -> None:
        """Every installed model, those it fits first; the others with the reason."""
        self._clear()
        self._fitting = tuple(model for model, fit in fits if fit.fits and model.writes)
        self._use.setEnabled(bool(self._fitting))
        self._words.set_text(
            "" if fits else self.tr("There is no model on this computer to compare it with.")
        )
        self._words.setVisible(not fits)
        for model, fit in fits[:_MOST_SHOWN]:
            name = f"{model.name} {model.quant}".strip()
            words = self.tr("It fits.") if fit.fits else fit.reason
            role = "ok" if fit.fits else "text2"
            self._list.addWidget(Paragraph(self._theme, words, "small", role, lead=f"{name}."))
        if len(fits) > _MOST_SHOWN:
            more = self.tr("and {count} more").format(count=len(fits) - _MOST_SHOWN)
            self._list.addWidget(Paragraph(self._theme, more, "small"))

    def take_focus(self) -> None:
        self._use.setFocus()

    def _clear(self) -> None:
        while item := self._list.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()

    def _request(self) -> None:
        self.use_requested.emit(self._fitting)
