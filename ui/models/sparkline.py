"""A small curve of how fast it went."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.theme import Theme

_WIDTH, _HEIGHT = 96, 24
_DOT = 2.5
_TINT = 0.12


class Sparkline(QWidget):
    """The last minute, one number a second. The words beside it say the same: a screen reader skips it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: tuple[float, ...] = ()
        self.setFixedSize(_WIDTH, _HEIGHT)

    def show_values(self, values: Sequence[float]) -> None:
        if tuple(values) != self._values:
            self._values = tuple(values)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        points = self._points()
        if len(points) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = self._theme.color("accent")
        line = QPainterPath(points[0])
        for before, point in pairwise(points[1:]):
            line.quadTo(before, (before + point) / 2)
        line.lineTo(points[-1])
        area = QPainterPath(line)
        area.lineTo(points[-1].x(), _HEIGHT)
        area.lineTo(points[0].x(), _HEIGHT)
        area.closeSubpath()
        tint = QColor(accent)
        tint.setAlphaF(_TINT)
        painter.fillPath(area, tint)
        painter.setPen(QPen(accent, 1.5))
        painter.drawPath(line)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawEllipse(points[-1], _DOT, _DOT)

    def _points(self) -> list[QPointF]:
        highest = max(self._values, default=0.0)
        if highest <= 0 or len(self._values) < 2:
            return []
        step = (_WIDTH - 2 * _DOT - 1) / (len(self._values) - 1)
        room = _HEIGHT - 2 * _DOT - 2
        return [
            QPointF(1 + index * step, _HEIGHT - _DOT - 1 - value / highest * room)
            for index, value in enumerate(self._values)
        ]
