"""Which installed models an adapter fits that is not here yet."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import problem_from
from catalog.adapters.fit import AdapterFit
from catalog.gguf.header import GgufHeader
from catalog.library import InstalledModel
from ui.background import Background, Cancelled, Task
from ui.models.discover_services import AdapterSource
from ui.models.fit_list import FitList
from ui.theme import Theme

Fits = tuple[tuple[InstalledModel, AdapterFit], ...]
ReadHeader = Callable[[Cancelled], GgufHeader | None]


class AdapterComparison(QWidget):
    """Reads the header of the file on its server, and compares it with the models that are here.

    `read` blocks; it answers None, or raises a `CatalogError`, where there is no header to be had or
    its event is set.
    """

    def __init__(
        self,
        theme: Theme,
        background: Background,
        adapters: AdapterSource,
        read: ReadHeader,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._adapters = adapters
        self._read = read
        self._task: Task | None = None
        self._list = FitList(theme, self.tr("Fits"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._list)
        self._list.show_words(self.tr("Comparing with the models that are here…"))
        self.compare()

    def compare(self) -> None:
        """Once more: other models may be here."""
        if self._task is not None:
            self._task.cancel()
        look = partial(_compared, self._read, self._adapters)
        self._task = self._background.look_up(self, look, self._show, self._give_up)

    def _show(self, fits: Fits | None) -> None:
        if fits is None:
            self._show_later()
        else:
            self._list.show_fits(fits)

    def _give_up(self, error: Exception) -> None:
        if problem_from(error) is None:
            raise error
        self._show_later()

    def _show_later(self) -> None:
        self._list.show_words(
            self.tr(
                "Which models it fits is told when it is here: its file can't be read from afar."
            )
        )


def _compared(read: ReadHeader, adapters: AdapterSource, cancelled: Cancelled) -> Fits | None:
    header = read(cancelled)
    return None if header is None else adapters.models_for_header(header)
