"""Formulas as pictures: TeX to SVG by ziamath off the main thread, SVG to an image at the screen's ratio."""

import re
from collections import OrderedDict
from functools import partial
from typing import Literal, NamedTuple

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from ui.background import Background

LONGEST = 300
"""Characters of TeX above which a formula is shown as it was written: about 0.1 s of work."""

DEEPEST = 5
"""Nested groups; each more doubles the time that ziamath takes, so that 20 would take hours."""

_LARGEST = 4096
_KEPT = 512
_BLEED = 1
_GROUP = re.compile(r"\\[{}]|\{|\}|\\left\b|\\right\b|\\begin\b|\\end\b|[_^]")
_VIEW_BOX = re.compile(r'viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)"')


class FormulaStyle(NamedTuple):
    """How a formula is drawn. `descent`: pixels below the line of text it stands in, None on its own."""

    size: float
    color: str
    ratio: float
    descent: float | None


class FormulaImage(NamedTuple):
    """A drawn formula and its size in logical pixels."""

    image: QImage
    width: float
    height: float


class _Svg(NamedTuple):
    data: bytes
    top: float
    width: float
    height: float


Found = FormulaImage | Literal["pending", "bad"]


class Formulas(QObject):
    """Draws formulas in the background and keeps the newest.

    Signals:
        drawn: some formulas that were pending can be found now.
    """

    drawn = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._found: OrderedDict[tuple[str, FormulaStyle], Found] = OrderedDict()
        self._announce = QTimer(self)
        self._announce.setSingleShot(True)
        # Formulas that are ready at about the same time are shown together.
        self._announce.setInterval(30)
        self._announce.timeout.connect(self.drawn)

    def find(self, tex: str, style: FormulaStyle) -> Found:
        """The formula's image; "pending" until it has been drawn, "bad" if it cannot be."""
        key = (tex, style)
        if key in self._found:
            self._found.move_to_end(key)
        elif not drawable(tex):
            self._keep(key, "bad")
        else:
            self._keep(key, "pending")
            self._background.run(
                self, partial(_svg, tex, style), partial(self._draw, key), partial(self._fail, key)
            )
        return self._found[key]

    def _draw(self, key: tuple[str, FormulaStyle], svg: _Svg) -> None:
        self._keep(key, _image(svg, key[1]))
        self._announce.start()

    def _fail(self, key: tuple[str, FormulaStyle], error: Exception) -> None:
        # Whatever the library raises for TeX that it does not know, the source is shown instead.
        self._keep(key, "bad")
        self._announce.start()

    def _keep(self, key: tuple[str, FormulaStyle], found: Found) -> None:
        self._found[key] = found
        if len(self._found) > _KEPT:
            self._found.popitem(last=False)


def drawable(tex: str) -> bool:
    """Whether a formula is small enough to be drawn."""
    if len(tex) > LONGEST or not tex.strip():
        return False
    depth = deepest = 0
    for match in _GROUP.finditer(tex):
        if match[0] in ("{", "\\left", "\\begin"):
            depth += 1
        elif match[0] in ("}", "\\right", "\\end"):
            depth -= 1
        deepest = max(deepest, depth)
    return deepest <= DEEPEST


def _svg(tex: str, style: FormulaStyle) -> _Svg:
    from ziamath.config import config
    from ziamath.zmath import Latex

    # The SVG 1.2 that Qt draws knows no nested symbols.
    config.svg2 = False
    inline = style.descent is not None
    formula = Latex(tex, size=style.size, color=style.color, inline=inline, margin=0)
    svg = formula.svg()
    # `getsize` leaves out what reaches beyond the letters' boxes; the view box does not.
    box = _VIEW_BOX.search(svg)
    if box is None:
        raise ValueError("the formula has no size")
    _, top, width, height = map(float, box.groups())
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        raise ValueError("the formula is too large, or empty")
    return _Svg(svg.encode(), top, width, height)


def _image(svg: _Svg, style: FormulaStyle) -> FormulaImage:
    """Inline, the image's lower edge lies `descent` below the baseline, where that of the text is."""
    below = svg.top + svg.height
    padding = 0.0 if style.descent is None else max(style.descent - below, 0)
    # The view box cuts the outermost strokes in half.
    width, height = svg.width + 2 * _BLEED, svg.height + padding
    size = QSize(round(width * style.ratio + 0.5), round(height * style.ratio + 0.5))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(style.ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.data)).render(painter, QRectF(_BLEED, 0, svg.width, svg.height))
    painter.end()
    return FormulaImage(image, width, height)
