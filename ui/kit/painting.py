"""Shapes that the kit paints: rounded grounds, state overlays, focus rings, water and the mark.

Every rectangle is in logical pixels and every edge is inset by half its pen, so that the result is
sharp at any ratio of the screen.
"""

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

RADIUS = 8
INNER_RADIUS = 6

_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


def came_by_keyboard(event: QFocusEvent, before: bool) -> bool:
    """Whether a focus ring is due. A window that gets active again shows what it showed before."""
    kept = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
    return before if event.reason() in kept else event.reason() in _KEYBOARD


def rounded(
    painter: QPainter,
    rect: QRect | QRectF,
    radius: float,
    fill: QColor | None = None,
    edge: QColor | None = None,
    width: float = 1,
) -> None:
    """A rounded rectangle, filled, edged or both; the edge lies inside `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shape = QRectF(rect)
    if edge is None:
        painter.setPen(Qt.PenStyle.NoPen)
    else:
        half = width / 2
        shape.adjust(half, half, -half, -half)
        painter.setPen(QPen(edge, width))
    painter.setBrush(fill if fill is not None else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(shape, radius, radius)


def focus_ring(
    painter: QPainter,
    rect: QRect | QRectF,
    radius: float,
    color: QColor,
    inner: QColor | None = None,
) -> None:
    """The 2-pixel ring inside a control; on an accent ground a second, light line keeps it seen."""
    rounded(painter, rect, radius, edge=color, width=2)
    if inner is not None:
        rounded(painter, QRectF(rect).adjusted(2, 2, -2, -2), radius - 2, edge=inner, width=1.5)


def row_ground(
    painter: QPainter,
    rect: QRectF,
    option: QStyleOptionViewItem,
    color: Callable[[str], QColor],
    *,
    selected: str = "selected",
    ring: bool,
) -> None:
    """The ground of a list's row, as its state wants it; the focus ring only where `ring` is due.

    `color` gives a role its colour, `selected` is the role of a selected row.
    """
    if option.state & QStyle.StateFlag.State_Selected:
        rounded(painter, rect, RADIUS, color(selected))
    elif option.state & QStyle.StateFlag.State_MouseOver:
        rounded(painter, rect, RADIUS, color("hover"))
    if option.state & QStyle.StateFlag.State_HasFocus and ring:
        focus_ring(painter, rect, RADIUS, color("ring"))


def wave(
    start: float, end: float, y: float, amplitude: float, length: float, phase: float, step: float
) -> QPainterPath:
    """A line of water from `start` to `end`."""
    path = QPainterPath()
    for index in range(math.floor((end - start) / step) + 1):
        x = start + index * step
        height = y + amplitude * math.sin((x - start) / length * 2 * math.pi + phase)
        if index:
            path.lineTo(x, height)
        else:
            path.moveTo(x, height)
    return path


SMALL_MARK = 24
"""Pixels up to which the mark is drawn for a task bar or a tab."""


def paint_mark(painter: QPainter, rect: QRectF, ground: QColor, line: QColor) -> None:
    """The program's mark: water, a straight road, water. Small, it has fewer and stronger strokes."""
    small = rect.width() <= SMALL_MARK
    pen_width, amplitude, length = (7.5, 4.5, 38) if small else (5, 2.7, 19)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 64, rect.height() / 64)
    rounded(painter, QRectF(0, 0, 64, 64), 15, fill=ground)
    water = QColor(line)
    water.setAlphaF(0.7)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    round_cap, round_join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    painter.setPen(QPen(water, pen_width, Qt.PenStyle.SolidLine, round_cap, round_join))
    for y in (17, 47) if small else (19.5, 44.5):
        painter.drawPath(wave(13, 51, y, amplitude, length, math.pi, 0.25))
    painter.setPen(QPen(line, pen_width, Qt.PenStyle.SolidLine, round_cap, round_join))
    painter.drawLine(QPointF(13, 32), QPointF(51, 32))
    painter.restore()
