"""Formulas as pictures: TeX to SVG by ziamath off the main thread, SVG to an image at the screen's ratio."""

import math
import re
from collections import OrderedDict
from functools import partial
from itertools import islice
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
_ABOVE = 2
"""Pixels free above an inline formula: a font may draw its first line that much too high."""
_BATCH = 12
_WAIT_MS = 40
_GROUP = re.compile(r"\\[{}]|\{|\}|\\left\b|\\right\b|\\begin\b|\\end\b|[_^]")
_VIEW_BOX = re.compile(r'viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)"')


class FormulaStyle(NamedTuple):
    """How a formula is drawn. `descent`: whole pixels that the text around it reaches below its baseline,
    None for a formula on its own."""

    size: float
    color: str
    ratio: float
    descent: int | None


class FormulaImage(NamedTuple):
    """A drawn formula and its size in logical pixels. `below`: so many of them lie below the baseline."""

    image: QImage
    width: float
    height: float
    below: int = 0


class _Svg(NamedTuple):
    data: bytes
    top: float
    width: float
    height: float


Found = FormulaImage | Literal["pending", "bad"]
_Key = tuple[str, FormulaStyle]


class Formulas(QObject):
    """Draws formulas in the background, a batch at a time, and keeps the newest.

    Signals:
        drawn: some formulas that were pending can be found now.
    """

    drawn = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._found: OrderedDict[_Key, Found] = OrderedDict()
        self._wanted: dict[_Key, None] = {}
        self._busy = False
        self._start = QTimer(self)
        self._start.setSingleShot(True)
        # The text around the formulas is painted first.
        self._start.setInterval(_WAIT_MS)
        self._start.timeout.connect(self._draw_batch)

    def find(self, tex: str, style: FormulaStyle) -> Found:
        """The formula's image; "pending" until it has been drawn, "bad" if it cannot be."""
        key = (tex, style)
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        if not drawable(tex):
            return "bad"
        self._wanted[key] = None
        if not self._busy and not self._start.isActive():
            self._start.start()
        return "pending"

    def _draw_batch(self) -> None:
        batch = list(islice(self._wanted, _BATCH))
        self._busy = True
        self._background.run(self, partial(_svgs, batch), partial(self._keep, batch))

    def _keep(self, batch: list[_Key], svgs: list[_Svg | None]) -> None:
        for key, svg in zip(batch, svgs, strict=True):
            self._found[key] = "bad" if svg is None else _image(svg, key[1])
            self._wanted.pop(key, None)
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)
        self._busy = False
        if self._wanted:
            self._start.start()
        self.drawn.emit()


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


def _svgs(batch: list[_Key]) -> list[_Svg | None]:
    return [_svg(tex, style) for tex, style in batch]


def _svg(tex: str, style: FormulaStyle) -> _Svg | None:
    from ziamath.config import config
    from ziamath.zmath import Latex

    # The SVG 1.2 that Qt draws knows no nested symbols.
    config.svg2 = False
    inline = style.descent is not None
    try:
        formula = Latex(tex, size=style.size, color=style.color, inline=inline, margin=0)
        svg = formula.svg()
    except Exception:
        # Whatever the library raises for TeX that it does not know: the source is shown instead.
        return None
    # `getsize` leaves out what reaches beyond the letters' boxes; the view box does not.
    box = _VIEW_BOX.search(svg)
    if box is None:
        return None
    _, top, width, height = map(float, box.groups())
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        return None
    return _Svg(svg.encode(), top, width, height)


def _image(svg: _Svg, style: FormulaStyle) -> FormulaImage:
    """Inline, the image's lower edge lies as far below the baseline as that of the text, or a whole number
    of pixels further where the formula is deeper.
    """
    depth = svg.top + svg.height
    below = 0 if style.descent is None else max(style.descent, math.ceil(depth))
    above = 0 if style.descent is None else _ABOVE
    padding = 0.0 if style.descent is None else below - depth
    # The view box cuts the outermost strokes in half.
    width, height = svg.width + 2 * _BLEED, above + svg.height + padding
    size = QSize(round(width * style.ratio + 0.5), round(height * style.ratio + 0.5))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(style.ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.data)).render(painter, QRectF(_BLEED, above, svg.width, svg.height))
    painter.end()
    return FormulaImage(image, width, height, below)
