"""The list of what is installed, for mouse and keys."""

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QListView, QWidget

from catalog.library import InstalledModel
from ui.chat.conversation_model import Index
from ui.kit.painting import came_by_keyboard
from ui.models.installed_delegate import FitOf, InstalledDelegate
from ui.models.installed_list import GlanceOf, InstalledList, Row
from ui.theme import Theme


class InstalledView(QListView):
    """Arrows walk through the rows, Enter or a click opens one, a double click chats with it.

    Signals:
        opened: the row that was clicked or entered.
        walked_to: the row that the keys came to.
        chat_requested: the `InstalledModel`.
    """

    opened = Signal(object)
    walked_to = Signal(object)
    chat_requested = Signal(object)

    def __init__(
        self,
        theme: Theme,
        rows: InstalledList,
        fit_of: FitOf,
        glance_of: GlanceOf,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._rows = rows
        self._delegate = InstalledDelegate(theme, fit_of, glance_of, self)
        self.setModel(rows)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QListView { background: transparent; outline: none; }")
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._open)
        self.doubleClicked.connect(self._chat)

    def show_loaded(self, model_id: str) -> None:
        """The model that is in memory; empty for none."""
        if model_id != self._delegate.loaded_id:
            self._delegate.loaded_id = model_id
            self.viewport().update()

    def select(self, path: object) -> None:
        """Mark the row of that file, and bring it into view; no row where it is not listed."""
        index = self._rows.index_of(path)
        self.setCurrentIndex(index)
        if index.isValid():
            self.scrollTo(index)
        else:
            self.clearSelection()

    def current_row(self) -> Row | None:
        return self._rows.row_at(self.currentIndex())

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        row = self._rows.row_at(current)
        if row is not None and self._delegate.keyboard_used and self.hasFocus():
            self.walked_to.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._delegate.keyboard_used = True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._chat(self.currentIndex())
            else:
                self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._delegate.keyboard_used = False
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._delegate.keyboard_used = came_by_keyboard(event, self._delegate.keyboard_used)
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._rows.rowCount():
            self.setCurrentIndex(self._rows.index(0))

    def _open(self, index: QModelIndex) -> None:
        row = self._rows.row_at(index)
        if row is not None:
            self.opened.emit(row)

    def _chat(self, index: QModelIndex) -> None:
        row = self._rows.row_at(index)
        if isinstance(row, InstalledModel) and row.writes:
            self.chat_requested.emit(row)
