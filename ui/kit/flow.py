"""Widgets in a row that goes on below where there is no more room."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_GAP = 6


class Flow(QWidget):
    """Takes the widgets; they keep the size that they ask for."""

    def __init__(self, widgets: Sequence[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widgets = list(widgets)
        for widget in widgets:
            widget.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        if not places:
            return 0
        return max(
            place.y() + widget.sizeHint().height()
            for place, widget in zip(places, self._widgets, strict=True)
        )

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, self.heightForWidth(max(self.width(), 1)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for place, widget in zip(self._places(self.width()), self._widgets, strict=True):
            size = widget.sizeHint()
            widget.setGeometry(place.x(), place.y(), min(size.width(), self.width()), size.height())

    def _places(self, width: int) -> list[QPoint]:
        places = []
        x = y = line = 0
        for widget in self._widgets:
            size = widget.sizeHint()
            if x and x + size.width() > width:
                x, y, line = 0, y + line + _GAP, 0
            places.append(QPoint(x, y))
            x += size.width() + _GAP
            line = max(line, size.height())
        return places
