"""The models of services and plug-ins, as the window knows them."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.models import Models, OfferedModel
from ui.background import Background


class OfferedModels(QObject):
    """Reads what services and plug-ins offer, off the main thread.

    Attributes:
        now: the models that answer with text, as they were last read.

    Signals:
        changed: other models are offered now.
    """

    changed = Signal()

    def __init__(
        self,
        background: Background,
        models: Models,
        now: tuple[OfferedModel, ...],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.now = now
        self._background = background
        self._models = models
        self._reads = 0

    def read(self) -> None:
        """Read them again. A plug-in may take its time to answer."""
        self._reads += 1
        self._background.run(self, self._models.offered, partial(self._take, self._reads))

    def _take(self, read: int, offered: tuple[OfferedModel, ...]) -> None:
        if read != self._reads:
            return  # they are being read again
        writers = tuple(model for model in offered if model.writes)
        if writers != self.now:
            self.now = writers
            self.changed.emit()
