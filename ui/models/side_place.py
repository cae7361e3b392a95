"""A page with a panel at its side, which lies over the page where there is no room for both."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from ui.kit.escape import offers_escape

SIDE_WIDTH = 360
_NARROWEST_PAGE = 500


class SidePlace(QWidget):
    """Holds a stack of pages and a stack of panels. Esc closes the panel that is open.

    Signals:
        closed: the panel went, and the focus with it, or not.
    """

    closed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pages = QStackedWidget(self)
        self.side = QStackedWidget(self)
        self.side.setFixedWidth(SIDE_WIDTH)
        self.side.hide()

    @property
    def is_open(self) -> bool:
        return self.side.isVisibleTo(self)

    def open(self, panel: QWidget) -> None:
        """Show this panel of the side."""
        self.side.setCurrentWidget(panel)
        self.side.show()
        self.side.raise_()
        self._arrange()

    def close_side(self) -> None:
        """Hide the panel, if one is open."""
        if not self.is_open:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is not None and self.side.isAncestorOf(focus)
        self.side.hide()
        self._arrange()
        if had_focus:
            # Qt would pass the focus to whatever comes next.
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.closed.emit(had_focus)

    def event(self, event: QEvent) -> bool:
        if offers_escape(event) and self.is_open:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.is_open:
            self.close_side()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        beside = self.is_open and self.width() >= _NARROWEST_PAGE + SIDE_WIDTH
        taken = SIDE_WIDTH if beside else 0
        self.pages.setGeometry(0, 0, self.width() - taken, self.height())
        self.side.setGeometry(self.width() - SIDE_WIDTH, 0, SIDE_WIDTH, self.height())
