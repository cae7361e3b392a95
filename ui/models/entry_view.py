"""A list inside a page that scrolls: as high as its rows, with one place for the Tab key."""

from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelectionModel,
    QModelIndex,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from ui.kit.painting import came_by_keyboard
from ui.kit.wheel import LeavesWheel

_UP = (Qt.Key.Key_Up, Qt.Key.Key_Left)
_DOWN = (Qt.Key.Key_Down, Qt.Key.Key_Right)


class EntryView(QListView):
    """Rows that are opened by a click or Enter; the arrows move between them.

    Attributes:
        keyboard_used: the ring is due on the current row.

    Signals:
        opened: the row at that `QModelIndex`.
        moved: the arrows went to a place that is this `QRect` of the view.
        left(int): the arrows went past the beginning (-1) or the end (1).
    """

    opened = Signal(QModelIndex)
    moved = Signal(QRect)
    left = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keyboard_used = False
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; outline: none; }")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.clicked.connect(self.opened)

    def enter(self, *, at_end: bool = False) -> None:
        """Take the focus as the arrows bring it: at the first row, or at the last."""
        model = self.model()
        if model is None or not model.rowCount():
            return
        self.setFocus(Qt.FocusReason.TabFocusReason)
        self._go_to(model.index(model.rowCount() - 1 if at_end else 0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._show_ring(True)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.opened.emit(self.currentIndex())
            return
        before = self.currentIndex()
        super().keyPressEvent(event)
        if self.currentIndex() != before:
            self.moved.emit(self.visualRect(self.currentIndex()))
        elif event.key() in _DOWN:
            self.left.emit(1)
        elif event.key() in _UP:
            self.left.emit(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._show_ring(False)
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._show_ring(came_by_keyboard(event, self.keyboard_used))
        super().focusInEvent(event)
        model = self.model()
        if self.keyboard_used and model is not None and model.rowCount():
            if not self.currentIndex().isValid():
                self._go_to(model.index(0, 0))
            self.moved.emit(self.visualRect(self.currentIndex()))

    def _go_to(self, index: QModelIndex) -> None:
        # Under the keys, but not yet opened.
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.moved.emit(self.visualRect(index))

    def _show_ring(self, shown: bool) -> None:
        self.keyboard_used = shown
        self.viewport().update()


class StillView(LeavesWheel, EntryView):
    """One that never scrolls by itself: the page around it does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._marked = ""
        self._row_of: Callable[[str], int] = lambda entry_id: -1
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def updateGeometries(self) -> None:
        # The gap below the last row would be room to scroll into, which cuts the first row.
        super().updateGeometries()
        self.verticalScrollBar().setRange(0, 0)

    def use_rows(self, rows: QAbstractItemModel, row_of: Callable[[str], int]) -> None:
        """Show these; `row_of` gives the row that shows the entry of an id, -1 where none does."""
        self._row_of = row_of
        self.setModel(rows)

    def mark(self, entry_id: str) -> None:
        """Show which entry is open at the side; an empty id marks none."""
        self._marked = entry_id
        self.show_mark()

    def show_mark(self) -> None:
        """Mark it again, after the rows have become others."""
        row = self._row_of(self._marked) if self._marked else -1
        model = self.model()
        if row < 0 or model is None:
            self.clearSelection()
        elif self.currentIndex().row() != row or not self.selectionModel().hasSelection():
            self.setCurrentIndex(model.index(row, 0))
