"""Icons: glyphs of the Phosphor font, painted as text and therefore sharp at any ratio.

Font and names lie in the installed `qtawesome` package. They are read from there without importing
it, since that import alone costs 0.3 s of the start.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPainter


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
