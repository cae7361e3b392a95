"""Small labels on a tint."""

import math
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.icons import glyph, paint_icon
from ui.kit.painting import INNER_RADIUS, rounded
from ui.theme import Theme

ChipKind = Literal["plain", "soft", "ok", "warn", "danger", "outline"]

_COLORS = {
    "plain": ("fill", "text2"),
    "soft": ("accent_soft", "accent_text"),
    "ok": ("ok_soft", "ok"),
    "warn": ("warn_soft", "warn"),
    "danger": ("danger_soft", "danger"),
    "outline": ("", "text2"),
}


class Chip(QLabel):
    """One or two words that say what something is."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        kind: ChipKind = "plain",
        icon: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = kind
        self._icon = icon
        if icon:
            glyph(icon)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font("smallmd", tabular=True))
        self.setText(text)
        self.setFixedHeight(20)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_words(self, text: str, kind: ChipKind) -> None:
        """Say something else."""
        self._kind = kind
        self.setText(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.font()).horizontalAdvance(self.text())
        return QSize(math.ceil(width) + 16 + (16 if self._icon else 0), 20)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self._theme.color
        ground, ink = _COLORS[self._kind]
        rect = QRectF(self.rect())
        if ground:
            # On raised and selected grounds a dark chip is hardly seen without an edge.
            edge = color("border") if self._kind == "plain" and self._theme.name == "dark" else None
            rounded(painter, rect, INNER_RADIUS, color(ground), edge)
        else:
            rounded(painter, rect, INNER_RADIUS, edge=color("border"))
        x = 8.0
        if self._icon:
            paint_icon(painter, self._icon, QRectF(x - 1, 0, 13, rect.height()), 13, color(ink))
            x += 16
        painter.setFont(self.font())
        painter.setPen(color(ink))
        painter.drawText(
            QRectF(x, 0, rect.width(), rect.height()), Qt.AlignmentFlag.AlignVCenter, self.text()
        )
