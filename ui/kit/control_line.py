"""A line of a card: words at the left, and the controls that belong to them at the right."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

_BESIDE, _BELOW = 24, 10
_NARROWEST_WORDS = 200


class ControlLine(QWidget):
    """Where too little room is left for the words, the controls stand below them.

    Attributes:
        controls: the row of controls, for more of them.
    """

    def __init__(
        self,
        words: Sequence[QWidget],
        controls: Sequence[QWidget] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._words, self._right = QWidget(self), QWidget(self)
        _fill(QVBoxLayout(self._words), 1, words)
        self.controls = QHBoxLayout(self._right)
        _fill(self.controls, 8, controls)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        controls = self._right.sizeHint()
        if self._stands_beside(width):
            words = _height(self._words, width - controls.width() - _BESIDE)
            return max(words, controls.height())
        return _height(self._words, width) + _BELOW + controls.height()

    def sizeHint(self) -> QSize:
        words, controls = self._words.sizeHint(), self._right.sizeHint()
        width = words.width() + _BESIDE + controls.width()
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """As narrow as it can be, with the controls below."""
        width = max(self._words.minimumSizeHint().width(), self._right.minimumSizeHint().width())
        return QSize(width, self._right.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        controls = self._right.sizeHint()
        width, height = self.width(), self.height()
        if self._stands_beside(width):
            left = width - controls.width() if controls.width() else width
            room = left - _BESIDE if controls.width() else width
            words = _height(self._words, room)
            self._words.setGeometry(0, (height - words) // 2, room, words)
            top = (height - controls.height()) // 2
            self._right.setGeometry(left, top, controls.width(), controls.height())
        else:
            words = _height(self._words, width)
            self._words.setGeometry(0, 0, width, words)
            taken = min(controls.width(), width)
            self._right.setGeometry(0, words + _BELOW, taken, controls.height())

    def _stands_beside(self, width: int) -> bool:
        controls = self._right.sizeHint().width()
        words = max(_NARROWEST_WORDS, self._words.minimumSizeHint().width())
        return not controls or width >= words + _BESIDE + controls


def _fill(layout: QBoxLayout, spacing: int, parts: Sequence[QWidget]) -> None:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        layout.addWidget(part)


def _height(words: QWidget, width: int) -> int:
    height = words.heightForWidth(width)
    return height if height >= 0 else words.sizeHint().height()
