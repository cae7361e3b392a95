"""The list of requests itself."""

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.server.journal import RequestRow
from ui.kit.chips import CHIP_HEIGHT, ChipKind, chip_width, paint_chip
from ui.kit.painting import INNER_RADIUS, came_by_keyboard, focus_ring, rounded
from ui.server.request_list import (
    Index,
    RequestList,
    figures_words,
    phase_words,
    title_words,
    who_words,
)
from ui.theme import Theme

ROW_HEIGHT = 52
_MOST_SHOWN = 8
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = _MIDDLE | Qt.AlignmentFlag.AlignRight
_CHIPS: dict[str, ChipKind] = {"answering": "soft", "failed": "danger", "done": "ok"}


class RequestView(QListView):
    """Grows with its rows up to a height, then scrolls.

    Signals:
        opened: the `RequestRow` that a person wants to know all of.
    """

    opened = Signal(object)

    def __init__(self, theme: Theme, rows: RequestList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self._delegate = _RequestDelegate(theme, rows, self)
        self.setModel(rows)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QListView { background: transparent; outline: none; }")
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Requests"))
        self.clicked.connect(self._open)
        self.fit()

    def fit(self) -> None:
        """Take the height of the rows, and show their newest state."""
        self.setFixedHeight(min(self._rows.rowCount(), _MOST_SHOWN) * ROW_HEIGHT)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._delegate.keyboard_used = True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._delegate.keyboard_used = False
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._delegate.keyboard_used = came_by_keyboard(event, self._delegate.keyboard_used)
        if not self.currentIndex().isValid() and self._rows.rowCount():
            self.setCurrentIndex(self._rows.index(0))
        super().focusInEvent(event)

    def _open(self, index: QModelIndex) -> None:
        row = self._rows.row_at(index)
        if row is not None:
            self.opened.emit(row)


class _RequestDelegate(QStyledItemDelegate):
    """Model and state; below them who asks, and what it takes."""

    def __init__(self, theme: Theme, rows: RequestList, parent: QListView) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = rows
        self._view = parent
        self.keyboard_used = False

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._rows.row_at(index)
        if row is None:
            return
        color = self._theme.color
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = rect.adjusted(4, 2, -4, -2)
        if option.state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, ground, INNER_RADIUS, color("hover"))
        current = index.row() == self._view.currentIndex().row()
        if current and self.keyboard_used and self._view.hasFocus():
            focus_ring(painter, ground, INNER_RADIUS, color("ring"))
        inner = rect.adjusted(16, 7, -16, -7)
        upper = QRectF(inner.left(), inner.top(), inner.width(), 20)
        lower = QRectF(inner.left(), inner.top() + 20, inner.width(), 18)
        self._paint_line(painter, upper, row)
        self._paint_facts(painter, lower, row)
        if index.row() < self._rows.rowCount() - 1:
            line = QRectF(rect.left() + 16, rect.bottom(), rect.width() - 32, 1)
            painter.fillRect(line, color("hairline"))
        painter.restore()

    def _paint_line(self, painter: QPainter, line: QRectF, row: RequestRow) -> None:
        words = phase_words(row)
        width = chip_width(self._theme, words)
        chip = QRectF(line.right() - width, line.top(), width, CHIP_HEIGHT)
        paint_chip(painter, self._theme, chip, words, _CHIPS.get(row.phase, "plain"))
        self._paint_text(
            painter, line.adjusted(0, 0, -width - 12, 0), title_words(row), "label", "text"
        )

    def _paint_facts(self, painter: QPainter, line: QRectF, row: RequestRow) -> None:
        font = self._theme.font("small", tabular=True)
        figures = figures_words(row)
        width = QFontMetricsF(font).horizontalAdvance(figures)
        painter.setFont(font)
        painter.setPen(self._theme.color("text2"))
        painter.drawText(line, _RIGHT, figures)
        left = line.adjusted(0, 0, -width - 12, 0)
        words = row.problem or row.asked or who_words(row)
        self._paint_text(painter, left, words, "small", "danger" if row.problem else "text2")

    def _paint_text(
        self, painter: QPainter, rect: QRectF, words: str, kind: str, role: str
    ) -> None:
        font = self._theme.font(kind, tabular=True)
        elide = Qt.TextElideMode.ElideRight
        line = " ".join(words[:400].split())
        painter.setFont(font)
        painter.setPen(self._theme.color(role))
        painter.drawText(rect, _MIDDLE, QFontMetricsF(font).elidedText(line, elide, rect.width()))
