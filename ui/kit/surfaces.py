"""Grounds and what lies on them without doing anything: panels, cards, lines, tiles, the mark."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.icons import glyph, paint_icon
from ui.kit.painting import RADIUS, paint_mark, rounded
from ui.theme import Theme


class Panel(QWidget):
    """An area of one ground, with hairlines at the given edges: any of "l", "t", "r", "b"."""

    def __init__(
        self, theme: Theme, ground: str = "page", edges: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ground = ground
        self._edges = edges

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        width, height = self.width(), self.height()
        painter.fillRect(self.rect(), self._theme.color(self._ground))
        lines = {
            "l": QRect(0, 0, 1, height),
            "t": QRect(0, 0, width, 1),
            "r": QRect(width - 1, 0, 1, height),
            "b": QRect(0, height - 1, width, 1),
        }
        for edge in self._edges:
            painter.fillRect(lines[edge], self._theme.color("hairline"))


class Card(QWidget):
    """A raised block with an edge. Its rows are parted by hairlines."""

    def __init__(self, theme: Theme, edge: str = "hairline", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._edge = edge
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 1, 0, 1)
        self._rows.setSpacing(0)

    def set_edge(self, role: str) -> None:
        """Another colour of the edge."""
        self._edge = role
        self.update()

    def add_row(self, row: QWidget) -> None:
        """Below the others."""
        if self._rows.count():
            line = Hairline(self._theme)
            self._rows.addWidget(line)
            line.show()
        self._rows.addWidget(row)

    def remove_row(self, row: QWidget) -> None:
        """Take a row out, with the line that parts it from its neighbour. It is the caller's then."""
        place = self._rows.indexOf(row)
        self._rows.removeWidget(row)
        beside = self._rows.itemAt(max(place - 1, 0))
        line = beside.widget() if beside is not None else None
        if line is not None:
            self._rows.removeWidget(line)
            line.hide()
            line.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        rounded(QPainter(self), self.rect(), RADIUS, color("raised"), color(self._edge))


class Hairline(QWidget):
    """A line of one pixel."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("hairline"))


class Icon(QWidget):
    """An icon beside words, which say the same: a screen reader skips it."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        size: int = 16,
        role: str = "text2",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        glyph(name)
        self._theme = theme
        self._name = name
        self._size = size
        self._role = role
        self.setFixedSize(size, size)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color(self._role)
        paint_icon(QPainter(self), self._name, self.rect(), self._size, color)


class Tile(QWidget):
    """An icon on a tinted square: it heads a row or an empty page."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        role: str = "text2",
        ground: str = "fill",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        glyph(icon)
        self._theme = theme
        self._icon = icon
        self._role = role
        self._ground = ground
        self.setFixedSize(40, 40)

    def show_icon(self, icon: str, role: str, ground: str) -> None:
        """Head the same row in another state."""
        glyph(icon)
        self._icon, self._role, self._ground = icon, role, ground
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rounded(painter, self.rect(), RADIUS, self._theme.color(self._ground))
        paint_icon(painter, self._icon, self.rect(), 20, self._theme.color(self._role))


class Mark(QWidget):
    """The program's mark."""

    def __init__(self, theme: Theme, size: int = 56, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        paint_mark(QPainter(self), QRectF(self.rect()), color("accent"), color("on_accent"))
