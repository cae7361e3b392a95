"""A search over a few rows that opens below a button, and a line that leads to more of them."""

from typing import NamedTuple, Protocol

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QListView, QStyledItemDelegate, QVBoxLayout, QWidget

from ui.kit import Button, Hairline, Paragraph, SearchField
from ui.kit.painting import RADIUS, rounded
from ui.theme import Theme

WIDTH = 400
_TALLEST_LIST = 8 * 36
"""In a small window; a large one has room for more rows."""

_AWAY, _MARGIN = 4, 8


class PopupWords(NamedTuple):
    """What it is called, what is searched, what it says where nothing is found, and what leads on."""

    title: str
    search: str
    rows: str
    nothing: str
    more: str


class Searched(Protocol):
    """The part of a list's model that a search needs."""

    def search(self, words: str) -> None: ...


class SearchPopup(QFrame):
    """Opens with the focus in the search field; the arrows move through the list meanwhile.

    Signals:
        picked: the index of a row that can be chosen. It is closed by then.
        more_requested
    """

    picked = Signal(QModelIndex)
    more_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        model: QAbstractListModel,
        searched: Searched,
        delegate: QStyledItemDelegate,
        words: PopupWords,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            parent,
            Qt.WindowType.Popup
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.NoDropShadowWindowHint,
        )
        self._theme = theme
        self._room = _TALLEST_LIST
        self._model = model
        self._searched = searched
        self._search = SearchField(theme, words.search)
        self._list = QListView()
        self._nothing = Paragraph(theme, words.nothing)
        self._more = Button(theme, words.more, "ghost", "compass")
        # A click on the button that closes the list must not open it again.
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)
        self.setAccessibleName(words.title)
        self.setFixedWidth(WIDTH)
        self._set_up_list(delegate, words.rows)
        self._lay_out()
        self._search.textChanged.connect(self._search_for)
        self._more.clicked.connect(self._want_more)

    def first_row(self) -> int:
        """The row that is marked while nothing is searched for."""
        return self._choosable(0, 1)

    def can_choose(self, index: QModelIndex) -> bool:
        """Whether a row is more than something to read."""
        return bool(index.flags() & Qt.ItemFlag.ItemIsSelectable)

    def fit(self) -> None:
        """Take the height that the rows need."""
        rows = self._model.rowCount()
        self._list.setVisible(rows > 0)
        self._nothing.setVisible(rows == 0)
        height = 0
        for row in range(rows):
            height += self._list.sizeHintForIndex(self._model.index(row)).height()
            if height >= self._room:  # a service may offer hundreds
                break
        self._list.setFixedHeight(min(height, self._room))
        self.adjustSize()

    def mark(self, row: int) -> None:
        self._list.setCurrentIndex(self._model.index(row))

    def repaint_rows(self) -> None:
        self._list.viewport().update()

    def open_below(self, widget: QWidget) -> None:
        """Open under a widget, its left edge at the widget's; within the widget's window."""
        self._search.clear()
        self.mark(self.first_row())
        self.fit()
        self._room = max(self._room_beside(widget), _TALLEST_LIST)
        self.fit()
        self.move(self._place_at(widget))
        self.show()
        self._search.setFocus(Qt.FocusReason.PopupFocusReason)

    def _room_beside(self, widget: QWidget) -> int:
        """The height that the list can have below the widget or above it, within the window."""
        window = widget.window()
        top = widget.mapTo(window, QPoint(0, 0)).y()
        room = max(window.height() - top - widget.height(), top) - _AWAY - _MARGIN
        return room - (self.height() - self._list.height())

    def _place_at(self, widget: QWidget) -> QPoint:
        """Below the widget, or above it where there is no room, and not past the window's edge."""
        window = widget.window()
        corner = window.mapToGlobal(QPoint(window.width(), window.height()))
        place = widget.mapToGlobal(QPoint(0, widget.height() + _AWAY))
        above = widget.mapToGlobal(QPoint(0, -_AWAY - self.height()))
        if place.y() + self.height() > corner.y() and above.y() >= window.mapToGlobal(QPoint()).y():
            place = above
        return QPoint(max(min(place.x(), corner.x() - WIDTH - 8), 0), place.y())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._move(step)
                return True
            page = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_PageUp: -1}.get(Qt.Key(event.key()))
            if page is not None:
                self._turn_page(page)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        painter = QPainter(self)
        # The corners show the page that lies below: see-through ones are black on a desktop
        # that does not compose its windows.
        painter.fillRect(self.rect(), color("page"))
        rounded(painter, self.rect(), RADIUS, color("raised"), color("border"))

    def _set_up_list(self, delegate: QStyledItemDelegate, name: str) -> None:
        self._list.setModel(self._model)
        delegate.setParent(self._list)
        self._list.setItemDelegate(delegate)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setStyleSheet("QListView { background: transparent; outline: none; }")
        self._list.viewport().setAutoFillBackground(False)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._list.setMouseTracking(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setAccessibleName(name)
        self._list.clicked.connect(self._choose_at)
        self._search.installEventFilter(self)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 4)
        column.setSpacing(4)
        column.addWidget(self._search)
        column.addSpacing(4)
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        column.addSpacing(4)
        column.addWidget(Hairline(self._theme))
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._nothing.setContentsMargins(8, 0, 8, 0)

    def _search_for(self, words: str) -> None:
        self._searched.search(words)
        self.mark(self._choosable(0, 1) if words.strip() else self.first_row())
        self.fit()

    def _move(self, step: int) -> None:
        row = self._choosable(self._list.currentIndex().row() + step, step)
        if 0 <= row < self._model.rowCount():
            self.mark(row)

    def _turn_page(self, step: int) -> None:
        current = self._list.currentIndex()
        height = max(1, self._list.visualRect(current).height())
        wanted = current.row() + step * max(1, self._list.viewport().height() // height - 1)
        row = self._choosable(max(0, min(wanted, self._model.rowCount() - 1)), step)
        if not 0 <= row < self._model.rowCount():  # what is left that way are headings
            row = self._choosable(max(0, min(row, self._model.rowCount() - 1)), -step)
        if 0 <= row < self._model.rowCount():
            self.mark(row)

    def _choosable(self, row: int, step: int) -> int:
        """The row from there on that is more than a heading; past the end where there is none."""
        while 0 <= row < self._model.rowCount() and not self._can_be_marked(row):
            row += step
        return row

    def _can_be_marked(self, row: int) -> bool:
        return bool(self._model.index(row).flags() & Qt.ItemFlag.ItemIsEnabled)

    def _choose(self) -> None:
        self._choose_at(self._list.currentIndex())

    def _choose_at(self, index: QModelIndex) -> None:
        if index.isValid() and self.can_choose(index):
            self.close()
            self.picked.emit(index)

    def _want_more(self) -> None:
        self.close()
        self.more_requested.emit()
