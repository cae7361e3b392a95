"""A bar of several parts, and the words for each below it."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.kit.painting import rounded
from ui.theme import Theme

_ROLES = ("accent", "meter2", "meter3")
_GAP = 1
_SWATCH = 8
_BETWEEN = 16


class StackedMeter(QWidget):
    """Up to three parts of one whole. What goes beyond it fills the bar, in the colour of `role`."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[float, ...] = ()
        self._role = "accent"
        self.setAccessibleName(name)
        self.setFixedHeight(6)

    def show_parts(self, parts: Sequence[float], role: str = "accent") -> None:
        """Each a part of one; `role` colours the first."""
        self._parts = tuple(parts)
        self._role = role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        painter.fillPath(outline, self._theme.color("track"))
        painter.setClipPath(outline)
        x = 0.0
        for part, role in zip(self._parts, _ROLES, strict=False):
            width = part * rect.width()
            shown = self._role if role == "accent" else role
            painter.fillRect(
                QRectF(x, 0, max(width - _GAP, 0), rect.height()), self._theme.color(shown)
            )
            x += width


class Legend(QWidget):
    """The names of the parts, each behind a square of its colour; what does not fit goes below."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words: tuple[str, ...] = ()
        self._role = "accent"
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_words(self, words: Sequence[str], role: str = "accent") -> None:
        self._words = tuple(words)
        self._role = role
        self.setAccessibleName(", ".join(words))
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        line = self._theme.line_height("small")
        return round(places[-1].y() + line) if places else line

    def sizeHint(self) -> QSize:
        return QSize(240, self._theme.line_height("small"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._theme.font("small", tabular=True))
        middle = Qt.AlignmentFlag.AlignVCenter
        for place, words, role in zip(
            self._places(self.width()), self._words, _ROLES, strict=False
        ):
            swatch = QRectF(place.left(), place.center().y() - _SWATCH / 2, _SWATCH, _SWATCH)
            shown = self._role if role == "accent" else role
            rounded(painter, swatch, 2, self._theme.color(shown))
            painter.setPen(self._theme.color("text2"))
            painter.drawText(place.adjusted(_SWATCH + 6, 0, 0, 0), middle, words)

    def _places(self, width: int) -> list[QRectF]:
        metrics = QFontMetricsF(self._theme.font("small", tabular=True))
        line = self._theme.line_height("small")
        places: list[QRectF] = []
        x = y = 0.0
        for words in self._words:
            needed = _SWATCH + 6 + metrics.horizontalAdvance(words) + 1
            if x and x + needed > width:
                x, y = 0.0, y + line
            places.append(QRectF(x, y, needed, line))
            x += needed + _BETWEEN
        return places
