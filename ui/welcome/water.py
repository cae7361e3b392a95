"""The ground of the welcome page: the mark, drawn large. Rows of water, one straight road."""

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.kit.painting import wave
from ui.theme import Theme

_HEIGHT = 176
_ROWS = 9
_ROAD = 4


class Water(QWidget):
    """A page with water at its lower end."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shore: QWidget | None = None

    def keep_dry(self, widget: QWidget) -> None:
        """Draw no water behind this widget nor above it, however low the page is."""
        self._shore = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Move:
            # The waves that may be drawn are others now, also where nothing else is painted.
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._theme.color("page"))
        # A progress bar above repaints often: the waves needn't be drawn for it.
        if event.rect().bottom() >= self.height() - _HEIGHT:
            self._paint_water(painter)

    def _paint_water(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = self.width()
        dry = 0
        if self._shore is not None:
            dry = self._shore.mapTo(self, self._shore.rect().bottomLeft()).y() + 12
        for row in range(_ROWS):
            nearness = row / (_ROWS - 1)
            y = self.height() - _HEIGHT + 164 * nearness**1.2
            if y < dry:
                continue
            if row == _ROAD:
                painter.setPen(QPen(self._fading("accent", 0.7), 2.5))
                painter.drawLine(QPointF(0, y), QPointF(width, y))
            else:
                water = self._fading("water2", 0.3 + 0.6 * nearness)
                painter.setPen(QPen(water, 0.9 + 0.7 * nearness))
                amplitude, length = 1.6 + 3.4 * nearness, 44 + 64 * nearness
                painter.drawPath(wave(0, width, y, amplitude, length, row * 2.1, length / 16))

    def _fading(self, role: str, alpha: float) -> QBrush:
        """A colour that fades out to both sides of the page."""
        middle, end = QColor(self._theme.color(role)), QColor(self._theme.color(role))
        middle.setAlphaF(alpha)
        end.setAlphaF(0)
        gradient = QLinearGradient(0, 0, self.width(), 0)
        for position, color in ((0.0, end), (0.28, middle), (0.72, middle), (1.0, end)):
            gradient.setColorAt(position, color)
        return QBrush(gradient)
