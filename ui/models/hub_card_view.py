"""The card of a repository, rendered."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.messages.mathematics import Formulas
from ui.messages.view import MessageView
from ui.theme import Theme


class HubCardView(QWidget):
    """As high as its text. Its blocks begin `formats.OUT` pixels before the text does.

    Signals:
        link_activated(str): an address; nothing is opened here.
    """

    link_activated = Signal(str)

    def __init__(
        self, theme: Theme, formulas: Formulas, text: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = MessageView(theme, formulas, "page", self.tr("Its page"), self)
        self._view.link_activated.connect(self.link_activated)
        self._view.height_changed.connect(self._fit)
        self._view.show_text(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self.width() > 1:
            self.setFixedHeight(self._view.fit(self.width()))
