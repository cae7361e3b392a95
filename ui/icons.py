"""Icons: glyphs of the Phosphor font, painted as text and therefore sharp at any ratio.

Font and names lie in the installed `qtawesome` package. They are read from there without importing
it, since that import alone costs 0.3 s of the start.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QIcon,
    QIconEngine,
    QPainter,
    QPixmap,
)

from ui.theme import Theme


def _font_file(pattern: str) -> Path:
    spec = find_spec("qtawesome")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package qtawesome, which brings the icons, is not installed.")
    return next((Path(spec.origin).parent / "fonts").glob(pattern))


@cache
def _charmap() -> dict[str, str]:
    text = _font_file("phosphor-charmap-*.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, str])


@cache
def _family() -> str:
    font = QFontDatabase.addApplicationFont(str(_font_file("phosphor-*.ttf")))
    return QFontDatabase.applicationFontFamilies(font)[0]


def glyph(name: str) -> str:
    """The character of an icon, such as "chat-circle-text-fill"; ValueError for an unknown name."""
    try:
        return chr(int(_charmap()[name], 16))
    except KeyError:
        raise ValueError(f"There is no icon called “{name}”.") from None


@cache
def icon_font(size: int) -> QFont:
    """The font that holds the glyphs, `size` pixels high."""
    font = QFont(_family())
    font.setPixelSize(size)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def paint_icon(
    painter: QPainter, name: str, rect: QRect | QRectF, size: int, color: QColor
) -> None:
    """Paint an icon `size` pixels high in the middle of a rectangle."""
    painter.save()
    painter.setFont(icon_font(size))
    painter.setPen(color)
    painter.drawText(QRectF(rect), Qt.AlignmentFlag.AlignCenter, glyph(name))
    painter.restore()


def icon(theme: Theme, name: str, role: str = "text2") -> QIcon:
    """An icon for menus and window parts that Qt paints. It follows the theme by itself."""
    return QIcon(_GlyphEngine(theme, name, role))


class _GlyphEngine(QIconEngine):
    def __init__(self, theme: Theme, name: str, role: str) -> None:
        super().__init__()
        glyph(name)
        self._theme = theme
        self._name = name
        self._role = role

    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._theme, self._name, self._role)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        role = "disabled" if mode == QIcon.Mode.Disabled else self._role
        size = min(rect.width(), rect.height())
        paint_icon(painter, self._name, rect, size, self._theme.color(role))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap
