"""A chip that can be on or off: it narrows a list."""

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.icons import paint_icon
from ui.kit.buttons import PaintedButton
from ui.kit.painting import RADIUS, rounded
from ui.theme import Theme

_HEIGHT = 28


class FilterChip(PaintedButton):
    """`toggled` says so; on, it has a check mark."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent)
        self._font = theme.font("label")
        self.setText(text)
        self.setCheckable(True)
        self.setFixedHeight(_HEIGHT)
        self.toggled.connect(self.updateGeometry)

    @property
    def radius(self) -> int:
        return RADIUS

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self._font).horizontalAdvance(self.text())
        return QSize(math.ceil(width) + 20 + (17 if self.isChecked() else 0), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self.theme.color
        rect = QRectF(self.rect())
        ink = color("accent_text" if self.isChecked() else "text")
        if self.isChecked():
            rounded(painter, rect, self.radius, color("accent_soft"))
        else:
            rounded(painter, rect, self.radius, color("raised"), color("border"))
        self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        x = 10.0
        if self.isChecked():
            paint_icon(painter, "check-bold", QRectF(9, 0, 14, rect.height()), 12, ink)
            x += 17
        painter.setFont(self._font)
        painter.setPen(ink)
        words = QRectF(x, 0, rect.width(), rect.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
