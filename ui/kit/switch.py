"""A switch: on or off, at once."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.kit.buttons import PaintedButton
from ui.kit.painting import rounded
from ui.theme import Theme

_WIDTH, _HEIGHT = 36, 20
_ROOM = 2  # for the ring


class Switch(PaintedButton):
    """Says and changes whether something is on. `toggled` comes for every change, `clicked` for a
    person's.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self.setCheckable(True)
        self.setFixedSize(_WIDTH + 2 * _ROOM, _HEIGHT + 2 * _ROOM)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self.theme.color
        track = QRectF(_ROOM, _ROOM, _WIDTH, _HEIGHT)
        on = self.isChecked()
        ground = "fill" if not self.isEnabled() else "accent" if on else "track"
        if on and self.state in ("hover", "press"):
            ground = "accent_hover" if self.state == "hover" else "accent_press"
        rounded(painter, track, _HEIGHT / 2, color(ground), None if on else color("border"))
        centre = QPointF(track.right() - 10 if on else track.left() + 10, track.center().y())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("knob" if self.isEnabled() else "disabled"))
        painter.drawEllipse(centre, 7.0, 7.0)
        self.paint_ring(painter, QRectF(self.rect()))
