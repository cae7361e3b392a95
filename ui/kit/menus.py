"""Menus in the look."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

from ui.icons import paint_icon

_CHECK = 13
_CHECK_LEFT = 9


class Menu(QMenu):
    """A menu with round corners; the style sheet does the rest, but for the check marks.

    The corners show the colour of a page: see-through ones are black on a desktop that does not
    compose its windows.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(
            self.windowFlags()
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.NoDropShadowWindowHint
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        for action in self.actions():
            if action.isCheckable() and action.isChecked():
                row = QRectF(self.actionGeometry(action))
                mark = QRectF(row.left() + _CHECK_LEFT, row.top(), _CHECK, row.height())
                paint_icon(painter, "check-bold", mark, _CHECK, self.palette().text().color())
