"""The part of the panel that an adapter has: which models it fits, and what can be done with it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from catalog.adapters.fit import AdapterFit
from catalog.library import InstalledModel
from ui.kit import Button
from ui.models.fit_list import FitList
from ui.theme import Theme


class AdapterPart(QWidget):
    """Signals:
    use_requested: use the adapter in the chat, with one of these `InstalledModel`s.
    merge_requested: make it part of one of these.
    """

    use_requested = Signal(object)
    merge_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fitting: tuple[InstalledModel, ...] = ()
        self._use = Button(theme, self.tr("Use in chat"), "primary", "chat-circle-text")
        self._use.setFixedHeight(36)
        self._use.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._use.clicked.connect(self._request_use)
        self._fits = FitList(theme, self.tr("Fits"))
        self._merge = Button(theme, self.tr("Merge into a model…"), small=True)
        self._merge.clicked.connect(self._request_merge)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self._use)
        column.addWidget(self._fits)
        column.addWidget(self._merge, 0, Qt.AlignmentFlag.AlignLeft)
        self._allow()

    def show_reading(self) -> None:
        """It is not known yet."""
        self._fitting = ()
        self._allow()
        self._fits.show_words(self.tr("Comparing with the models that are here…"))

    def show_fits(self, fits: Sequence[tuple[InstalledModel, AdapterFit]]) -> None:
        """Every installed model, those it fits first; the others with the reason."""
        self._fitting = tuple(model for model, fit in fits if fit.fits and model.writes)
        self._allow()
        self._fits.show_fits(fits)

    def _allow(self) -> None:
        self._use.setEnabled(bool(self._fitting))
        self._merge.setVisible(bool(self._fitting))

    def _request_use(self) -> None:
        self.use_requested.emit(self._fitting)

    def _request_merge(self) -> None:
        self.merge_requested.emit(self._fitting)
