"""What scrolls at the side of a page, with one width whether or not there is a scroll bar."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QWidget


class SteadyScroll(QScrollArea):
    """Takes the room for the scroll bar from the right margin of what it shows, so that nothing moves
    when more comes in.

    The bar is there at all times, and empty where nothing scrolls: one that comes and goes changes how
    text wraps, which can make it come and go for ever.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setStyleSheet("QScrollArea { background: transparent; }")
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().rangeChanged.connect(self._show_bar)
        self._show_bar()

    def show_content(self, content: QWidget, layout: QLayout) -> None:
        """Show this, from its beginning; `layout` is its own. What was shown before is deleted."""
        before = self.takeWidget()
        bar = self.verticalScrollBar()
        bar.ensurePolished()
        margins = layout.contentsMargins()
        margins.setRight(max(margins.right() - bar.sizeHint().width(), 0))
        layout.setContentsMargins(margins)
        self.setWidget(content)
        content.setAutoFillBackground(False)  # Qt turns it on
        if before is not None:
            before.deleteLater()
        bar.setValue(0)

    def _show_bar(self) -> None:
        bar = self.verticalScrollBar()
        bar.setEnabled(bar.maximum() > bar.minimum())
