"""A scrolled column, and the reader's place in it."""

from bisect import bisect_right
from typing import NamedTuple

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractSlider, QFrame, QScrollArea, QWidget

from ui.chat.stack import Stack
from ui.kit import Button
from ui.messages.formats import OUT
from ui.theme import Theme

_MARGIN = 16
_ABOVE, _BELOW = 16, 8
_AT_END = 8
_JUMP_BELOW = 12


class Place(NamedTuple):
    """Where the reader is: the first part in sight, and how far its top is from the edge."""

    part: QWidget
    offset: int


class ReadingArea(QScrollArea):
    """A column of parts. It follows the end while the reader is there, and else stays in place.

    Signals:
        moved: the reader scrolled, or the area has another size.
    """

    moved = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._following = True
        self._placing = False
        self._kept: tuple[QWidget, float, int] | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self._content = QWidget()
        self._content.setAutoFillBackground(False)
        self.column = Stack(self._content)
        self.setWidget(self._content)
        self._jump = Button(theme, self.tr("Jump to the end"), icon="arrow-down", parent=self)
        self._jump.hide()
        self._jump.clicked.connect(self.jump_to_end)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    def keep_at(self, part: QWidget, of_it: float, below: int) -> None:
        """Go to where so much of a part is above the edge, or where it begins that far below the edge.

        That holds in any width, until the reader scrolls or something grows.
        """
        self._following = False
        self._kept = part, of_it, below
        self.settle()
        self._look_for_end()
        self.moved.emit()

    @property
    def following(self) -> bool:
        """Whether the view stays at the end as the text grows."""
        return self._following

    @property
    def above(self) -> int:
        """Pixels of the column above what is seen."""
        return self.verticalScrollBar().value()

    def jump_to_end(self) -> None:
        """Go to the end and follow it."""
        self._following = True
        self._kept = None
        self.settle()
        self.moved.emit()

    def show_part(self, part: QWidget) -> None:
        """Scroll so far that a part is seen."""
        self.ensureWidgetVisible(part, 0, _MARGIN)

    def scroll_towards(self, point: QPoint) -> None:
        """Scroll while the mouse draws a selection beyond the edge; `point` is on the screen."""
        y = self.viewport().mapFromGlobal(point).y()
        beyond = min(y, 0) + max(y - self.viewport().height(), 0)
        self.verticalScrollBar().setValue(self.above + beyond)

    def place(self) -> Place | None:
        """The reader's place; None at the end."""
        if self._following:
            return None
        parts = self.column.parts
        if self._kept is not None and self._kept[0] in parts:
            part, of_it, below = self._kept
            return Place(part, below - round(of_it * part.height()))
        top = self.above - self.column.y()
        index = self._first_below(top)
        return Place(parts[index], parts[index].y() - top) if index < len(parts) else None

    def parts_near(self, heights: float) -> list[QWidget]:
        """The parts in sight, and those up to so many heights of the area above and below."""
        reach = round(heights * self.viewport().height())
        top = self.above - self.column.y()
        parts = self.column.parts
        first = self._first_below(top - reach)
        last = bisect_right(parts, top + self.viewport().height() + reach, key=_top)
        return list(parts[first:last])

    def settle(self, place: Place | None = None) -> None:
        """Lay out for the present width and go back to the reader's place."""
        width = min(self.width() - 2 * _MARGIN, self._theme.size("column") + 2 * OUT)
        if width <= 0:
            return
        place = place or self.place()
        if self.column.width() != width:
            self.column.fit(width)
        else:
            self.column.place()
        self.column.move((self.width() - width) // 2, _ABOVE)
        self._resize_content(place)

    def settle_part(self, part: QWidget) -> None:
        """One part needs another height."""
        place = self.place()
        self._kept = None
        self.column.refit(part)
        self._resize_content(place)

    def resizeEvent(self, event: QResizeEvent) -> None:
        place = self.place()
        super().resizeEvent(event)
        self.settle(place)
        self.moved.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.settle()
        self._look_for_end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Home:
                self.verticalScrollBar().setValue(0)
            case Qt.Key.Key_End:
                self.jump_to_end()
            case Qt.Key.Key_Space:
                self.verticalScrollBar().triggerAction(
                    QAbstractSlider.SliderAction.SliderPageStepAdd
                )
            case _:
                super().keyPressEvent(event)

    def _first_below(self, y: int) -> int:
        """The index of the first part that reaches below a height of the column."""
        return bisect_right(self.column.parts, y, key=_bottom)

    def _resize_content(self, place: Place | None) -> None:
        self._placing = True
        height = self.column.height() + _ABOVE + _BELOW if self.column.parts else 0
        self._content.resize(self.viewport().width(), height)
        bar = self.verticalScrollBar()
        if place is None:
            bar.setValue(bar.maximum())
        else:
            bar.setValue(place.part.y() + self.column.y() - place.offset)
        self._placing = False
        self._show_jump()

    def _scrolled(self) -> None:
        if self._placing:
            return
        self._kept = None
        self._look_for_end()
        self.moved.emit()

    def _look_for_end(self) -> None:
        """Follow the end from now on where the reader is there; what is hidden has no size yet."""
        if self.isVisible():
            bar = self.verticalScrollBar()
            self._following = bar.value() >= bar.maximum() - _AT_END
        self._show_jump()

    def _show_jump(self) -> None:
        self._jump.setVisible(not self._following)
        if not self._following:
            size = self._jump.sizeHint()
            self._jump.setGeometry(
                (self.width() - size.width()) // 2,
                self.height() - size.height() - _JUMP_BELOW,
                size.width(),
                size.height(),
            )
            self._jump.raise_()


def _top(part: QWidget) -> int:
    return part.y()


def _bottom(part: QWidget) -> int:
    return part.y() + part.height()
