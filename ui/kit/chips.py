"""Small labels on a tint."""

import math
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.icons import glyph, paint_icon
from ui.kit.painting import INNER_RADIUS, rounded
from ui.theme import Theme

ChipKind = Literal["plain", "soft", "ok", "ok_raised", "warn", "danger", "outline"]

CHIP_HEIGHT = 20

_COLORS: dict[ChipKind, tuple[str, str]] = {
    "plain": ("fill", "text2"),
    "soft": ("accent_soft", "accent_text"),
    "ok": ("ok_soft", "ok"),
    "ok_raised": ("raised", "ok"),
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
        self.setFixedHeight(CHIP_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_words(self, text: str, kind: ChipKind) -> None:
        """Say something else."""
        self._kind = kind
        self.setText(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(chip_width(self._theme, self.text(), self._icon), CHIP_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        rect = QRectF(self.rect())
        paint_chip(QPainter(self), self._theme, rect, self.text(), self._kind, self._icon)


def chip_width(theme: Theme, text: str, icon: str = "") -> int:
    """Pixels that a chip with these words takes."""
    width = QFontMetricsF(theme.font("smallmd", tabular=True)).horizontalAdvance(text)
    return math.ceil(width) + 16 + (16 if icon else 0)


def paint_chip(
    painter: QPainter,
    theme: Theme,
    rect: QRectF,
    text: str,
    kind: ChipKind,
    icon: str = "",
    on_tint: bool = False,
) -> None:
    """Paint a chip, also where it is no widget: in the row of a list.

    `on_tint`: the row is selected, so that a tint would hardly be seen.
    """
    color = theme.color
    ground, ink = _COLORS[kind]
    if ground and on_tint:
        ground = "page"
    if ground:
        # On raised and selected grounds a dark chip is hardly seen without an edge.
        edge = color("border") if kind == "plain" and theme.name == "dark" else None
        rounded(painter, rect, INNER_RADIUS, color(ground), edge)
    else:
        rounded(painter, rect, INNER_RADIUS, edge=color("border"))
    words = rect.adjusted(8, 0, 0, 0)
    if icon:
        box = QRectF(words.left() - 1, rect.top(), 13, rect.height())
        paint_icon(painter, icon, box, 13, color(ink))
        words.adjust(16, 0, 0, 0)
    painter.setFont(theme.font("smallmd", tabular=True))
    painter.setPen(color(ink))
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)
