"""Widgets below each other, laid out at once and not an event later.

So a scroll position can be kept exactly while something above or below changes its height.
"""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from ui.messages.view import MessageView


class Stack(QWidget):
    """A column of widgets with gaps of their own; hidden ones take no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[QWidget] = []
        self._gaps: dict[QWidget, int] = {}
        self._heights: dict[QWidget, int] = {}
        self._insets: dict[QWidget, int] = {}

    @property
    def parts(self) -> tuple[QWidget, ...]:
        return tuple(self._parts)

    def put(self, part: QWidget, gap: int = 0, index: int | None = None, inset: int = 0) -> None:
        """Add a widget, `gap` pixels below the one above it and `inset` from both sides."""
        part.setParent(self)
        place = len(self._parts) if index is None else index
        if place < len(self._parts):
            # A screen reader reads children in the order in which they are stacked.
            part.stackUnder(self._parts[place])
        self._parts.insert(place, part)
        self._gaps[part] = gap
        self._insets[part] = inset
        part.show()

    def take(self, part: QWidget) -> None:
        """Remove a widget, which is then destroyed."""
        self._parts.remove(part)
        for kept in (self._gaps, self._heights, self._insets):
            kept.pop(part, None)
        part.hide()
        part.deleteLater()

    def fit(self, width: int) -> int:
        """Lay everything out in a width; returns the height, and takes it."""
        self._heights.clear()
        return self._place(width)

    def place(self) -> int:
        """Lay out again after parts came or went."""
        return self._place(self.width())

    def refit(self, part: QWidget) -> int:
        """Lay out again after one part's height has changed."""
        self._heights.pop(part, None)
        return self._place(self.width())

    def sizeHint(self) -> QSize:
        return self.size()

    def _place(self, width: int) -> int:
        y = 0
        first = True
        for part in self._parts:
            if part.isHidden():
                continue
            inset = self._insets[part]
            if part not in self._heights:
                self._heights[part] = _height(part, width - 2 * inset)
            y += 0 if first else self._gaps[part]
            first = False
            part.setGeometry(inset, y, width - 2 * inset, self._heights[part])
            y += self._heights[part]
        self.resize(width, y)
        return y


def _height(part: QWidget, width: int) -> int:
    if isinstance(part, Stack | MessageView):
        return part.fit(width)
    if part.hasHeightForWidth():
        return part.heightForWidth(width)
    return part.sizeHint().height()
