"""Widgets in a row that goes on below where there is no more room."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Flow(QWidget):
    """Takes the widgets; they keep the size that they ask for. Each row can stand in the middle."""

    def __init__(
        self,
        widgets: Sequence[QWidget],
        gap: int = 6,
        *,
        centred: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._widgets = list(widgets)
        self._gap = gap
        self._centred = centred
        for widget in widgets:
            widget.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max((place.bottom() + 1 for _, place in self._places(width)), default=0)

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, self.heightForWidth(max(self.width(), 1)))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        for widget, place in self._places(self.width()):
            widget.setGeometry(place)

    def _places(self, width: int) -> list[tuple[QWidget, QRect]]:
        """What is shown, and where it stands."""
        rows: list[list[tuple[QWidget, QRect]]] = []
        x = y = below = 0
        for widget in self._widgets:
            if _was_hidden(widget):
                continue
            size = widget.sizeHint().boundedTo(widget.maximumSize()).boundedTo(QSize(width, 10_000))
            if not rows or x + size.width() > width:
                x, y = 0, below
                rows.append([])
            rows[-1].append((widget, QRect(x, y, size.width(), size.height())))
            x += size.width() + self._gap
            below = max(below, y + size.height() + self._gap)
        if self._centred:
            for row in rows:
                left = (width - row[-1][1].right() - 1) // 2
                for _, place in row:
                    place.translate(left, 0)
        return [each for row in rows for each in row]


def _was_hidden(widget: QWidget) -> bool:
    """Every widget is hidden until it is first shown; here it counts who hid one."""
    return widget.isHidden() and widget.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)
