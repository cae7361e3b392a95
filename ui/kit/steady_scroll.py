"""What scrolls at the side of a page, with one width whether or not there is a scroll bar."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QWidget


class SteadyScroll(QScrollArea):
    """Takes the room for the scroll bar from the right margin of what it shows, so that nothing moves
    when more comes in.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._right = 0
        self._layout: QLayout | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setStyleSheet("QScrollArea { background: transparent; }")
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().rangeChanged.connect(self._settle)

    def show_content(self, content: QWidget, layout: QLayout) -> None:
        """Show this, from its beginning; `layout` is its own. What was shown before is deleted."""
        before = self.takeWidget()
        self._layout = layout
        self._right = layout.contentsMargins().right()
        self.setWidget(content)
        content.setAutoFillBackground(False)  # Qt turns it on
        if before is not None:
            before.deleteLater()
        self.verticalScrollBar().setValue(0)
        self._settle()

    def _settle(self) -> None:
        if self._layout is None:
            return
        bar = self.verticalScrollBar()
        taken = bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
        margins = self._layout.contentsMargins()
        margins.setRight(max(self._right - taken, 0))
        self._layout.setContentsMargins(margins)
