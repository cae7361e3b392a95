"""A short list whose rows are put in order, and switched on and off."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ui.icons import paint_icon
from ui.kit.painting import INNER_RADIUS, came_by_keyboard, focus_ring, rounded
from ui.theme import Theme

ROW_HEIGHT = 28
_BOX = 16
_BOX_ROOM = 32  # pixels at the right of a row that switch it
_NAME = Qt.ItemDataRole.UserRole


class OrderList(QListWidget):
    """All of its rows are shown. A row is dragged, or moved by Alt and an arrow key; Space or its
    box switches it.

    Signals:
        reordered: what `on` gives has changed by a person's hand.
    """

    reordered = Signal()

    def __init__(
        self, theme: Theme, name: str, titles: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._titles = titles
        self._dragged: QListWidgetItem | None = None
        self._told: list[str] = []
        self.ring = False
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QListWidget { background: transparent; outline: none; }")
        self.viewport().setAutoFillBackground(False)
        self.setItemDelegate(_OrderDelegate(theme, self))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(ROW_HEIGHT * len(titles))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.show_order(list(titles))

    @property
    def on(self) -> list[str]:
        """The names that are switched on, from top to bottom."""
        return [
            item.data(_NAME) for item in self._items() if item.checkState() == Qt.CheckState.Checked
        ]

    def show_order(self, on: Sequence[str]) -> None:
        """These in this order, and below them those that are off."""
        current = self.currentRow()
        self.clear()
        for name in [*on, *(name for name in self._titles if name not in on)]:
            item = QListWidgetItem(self._titles[name])
            item.setData(_NAME, name)
            item.setFlags(
                Qt.ItemFlag.ItemIsEnabled
                | Qt.ItemFlag.ItemIsSelectable
                | Qt.ItemFlag.ItemIsUserCheckable
            )
            item.setCheckState(Qt.CheckState.Checked if name in on else Qt.CheckState.Unchecked)
            self.addItem(item)
        self.setCurrentRow(max(current, 0))
        self._told = self.on

    def move_current(self, step: int) -> None:
        """Move the marked row by so many places, as far as there are."""
        row = self.currentRow()
        to = min(max(row + step, 0), self.count() - 1)
        if row < 0 or to == row:
            return
        item = self.takeItem(row)
        self.insertItem(to, item)
        self.setCurrentItem(item)
        if self._dragged is None:
            self._tell()

    def switch_current(self) -> None:
        """Switch the marked row."""
        item = self.currentItem()
        if item is not None:
            on = item.checkState() == Qt.CheckState.Checked
            item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)
            self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.ring = True
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.move_current(step)
        elif event.key() == Qt.Key.Key_Space:
            self.switch_current()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.ring = False
        item = self.itemAt(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or item is None:
            return
        self.setCurrentItem(item)
        if event.position().x() >= self.viewport().width() - _BOX_ROOM:
            self.switch_current()
        else:
            self._dragged = item

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # Qt would mark the row under the pointer instead of moving the marked one.
        if self._dragged is not None and event.buttons() & Qt.MouseButton.LeftButton:
            row = int(event.position().y() // ROW_HEIGHT)
            self.move_current(row - self.row(self._dragged))
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            self._dragged = None
            self._tell()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.ring = came_by_keyboard(event, self.ring)
        super().focusInEvent(event)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _tell(self) -> None:
        if self.on != self._told:
            self._told = self.on
            self.reordered.emit()


class _OrderDelegate(QStyledItemDelegate):
    """A handle, the title, and a box with a check mark."""

    def __init__(self, theme: Theme, view: OrderList) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        color = self._theme.color
        rect = QRectF(option.rect)
        row = index.row()
        current = row == self._view.currentRow() and self._view.hasFocus()
        under = self._view.viewport().mapFromGlobal(self._view.cursor().pos())
        if self._view.underMouse() and option.rect.contains(under):
            rounded(painter, rect, INNER_RADIUS, color("hover"))
        if current and self._view.ring:
            focus_ring(painter, rect, INNER_RADIUS, color("ring"))
        on = self._view.item(row).checkState() == Qt.CheckState.Checked
        handle = QRectF(rect.left() + 2, rect.top(), 16, rect.height())
        paint_icon(painter, "dots-six-vertical", handle, 14, color("text3"))
        painter.setFont(self._theme.font("body"))
        painter.setPen(color("text" if on else "text3"))
        words = rect.adjusted(24, 0, -_BOX_ROOM, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, index.data())
        box = QRectF(rect.right() - 4 - _BOX, rect.center().y() - _BOX / 2, _BOX, _BOX)
        if on:
            rounded(painter, box, 4, color("accent"))
            paint_icon(painter, "check-bold", box, 11, color("on_accent"))
        else:
            rounded(painter, box, 4, color("raised"), color("border"))
