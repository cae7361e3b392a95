"""A dialog that is as high as its words need, and no higher than the screen."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.theme import Theme

_WIDTH = 480
_FRAME = QSize(16, 48)
"""What the frame of a dialog takes at most; it is known only when the dialog is shown."""


class FittedDialog(QDialog):
    """Words that come later make it higher. What is more than the screen has room for scrolls; the
    buttons below stay in sight.

    Attributes:
        column: what the dialog is about.
        buttons: the row of buttons, at the right end. Fill it last: the Tab key follows that order.
    """

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self._content = QWidget()
        self.column = QVBoxLayout(self._content)
        self.column.setContentsMargins(24, 20, 24, 8)
        self.column.setSpacing(12)
        scroll = QScrollArea()
        scroll.setWidget(self._content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.buttons = QHBoxLayout()
        self.buttons.setContentsMargins(24, 8, 24, 20)
        self.buttons.setSpacing(8)
        self.buttons.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addLayout(self.buttons)
        self._content.installEventFilter(self)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return False

    def showEvent(self, event: QShowEvent) -> None:
        self._fit()
        super().showEvent(event)

    def _fit(self) -> None:
        words = self.column
        height = (
            words.totalHeightForWidth(_WIDTH)
            if words.hasHeightForWidth()
            else words.totalSizeHint().height()
        )
        wanted = height + self.buttons.sizeHint().height()
        self.setFixedHeight(min(wanted, room_on_screen(self).height()))


def room_on_screen(dialog: QDialog) -> QSize:
    """What the screen has free for a dialog within its frame."""
    return dialog.screen().availableGeometry().size() - _FRAME
