"""A button that opens a menu, and says so by a caret."""

import math

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.icons import paint_icon
from ui.kit.buttons import PaintedButton
from ui.kit.menus import Menu
from ui.theme import Theme

_PADDING = 8
_CARET = 12
_HEIGHT = 28


class MenuButton(PaintedButton):
    """Words and a caret. Click, Enter, Space and the down arrow open `menu` below it."""

    def __init__(self, theme: Theme, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent)
        self._font = theme.font("label")
        self.menu = Menu(self)
        self.setFixedHeight(_HEIGHT)
        self.set_words(text)
        self.clicked.connect(self._open)

    def set_words(self, text: str) -> None:
        self.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self._font).horizontalAdvance(self.text())
        return QSize(math.ceil(width) + _PADDING + 6 + _CARET + _PADDING, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        ink = "disabled" if not self.isEnabled() else "text2" if self.state == "rest" else "text"
        painter.setFont(self._font)
        painter.setPen(self.theme.color(ink))
        words = rect.adjusted(_PADDING, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        caret = QRectF(rect.right() - _PADDING - _CARET, 0, _CARET, rect.height())
        paint_icon(painter, "caret-down", caret, _CARET, self.theme.color(ink))

    def _open(self) -> None:
        # Right edges in line: such a button stands at the right of a panel.
        width = self.menu.sizeHint().width()
        self.menu.popup(self.mapToGlobal(QPoint(self.width() - width, self.height() + 2)))
