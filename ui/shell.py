"""The grounds of the chat page with nothing on them: what the window shows in its first moment."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import Theme


class Shell(QWidget):
    """Painted rather than built, so that the first frame comes at once.

    Signals:
        painted: the first frame is there. Emitted once.
    """

    painted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_painted = False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self._theme.color
        painter.fillRect(self.rect(), color("page"))
        width = self._theme.size("list")
        painter.fillRect(0, 0, width, self.height(), color("panel"))
        painter.fillRect(width - 1, 0, 1, self.height(), color("hairline"))
        header = self._theme.size("header")
        painter.fillRect(width, header - 1, self.width() - width, 1, color("hairline"))
        if not self._is_painted:
            self._is_painted = True
            self.painted.emit()
