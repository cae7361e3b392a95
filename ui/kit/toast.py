"""A message that goes by itself, with a way to take the last step back, or the next one."""

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QEnterEvent,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from ui.kit.buttons import Button, IconButton
from ui.kit.escape import keep_escape
from ui.kit.focus import visit_in_order
from ui.kit.painting import RADIUS, rounded
from ui.kit.text import Paragraph
from ui.theme import Theme

_SHOWN_MS = 8000
_WIDEST = 480
_BESIDE_WORDS = 240
"""The room for the button, the way to close it, and the margins."""
_ABOVE_BOTTOM = 24
_GAP = 8
_MOVES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


class Toast(QWidget):
    """Sits at the bottom of its parent, or above what is written in there. It stays while the pointer or the focus is on it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ground = parent
        self._base: QWidget | None = None
        self._act: Callable[[], None] | None = None
        self._undoes = False
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(8)
        self._words = Paragraph(theme, role="text")
        self._action = Button(theme, self.tr("Undo"), "soft", small=True)
        self._action.clicked.connect(self.act)
        self._close = IconButton(theme, "x", self.tr("Close"), size=14)
        self._close.clicked.connect(self.dismiss)
        row.addWidget(self._words)
        row.addWidget(self._action)
        row.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self._leave)
        parent.installEventFilter(self)
        self.hide()

    def stand_above(self, base: QWidget) -> None:
        """Stand above this widget while it can be seen: a person may be writing in it."""
        self._base = base
        base.installEventFilter(self)

    def show_message(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """Show one sentence; with `undo`, a button calls it once."""
        self._show(text, self.tr("Undo"), undo)
        self._undoes = undo is not None

    def show_offer(self, text: str, words: str, act: Callable[[], None]) -> None:
        """Show one sentence, and a button with these words that calls `act` once."""
        self._show(text, words, act)

    def undo(self) -> None:
        """Take the last step back, as long as that is offered."""
        if self._undoes:
            self.act()

    def act(self) -> None:
        """What the button does. Nothing where there is none."""
        act = self._act
        self.dismiss()
        if act is not None:
            act()

    def dismiss(self) -> None:
        """Go, for good: what the message spoke of can't be undone here any more."""
        self._act = None
        self._undoes = False
        self._timer.stop()
        focus = QApplication.focusWidget()
        if self._base is not None and focus is not None and self.isAncestorOf(focus):
            # Qt would pass the focus to whatever comes next.
            self._base.setFocus()
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES and self.isVisible():
            self._place()
        return False

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        if self.isVisible():
            self._timer.start()

    def event(self, event: QEvent) -> bool:
        return keep_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        rounded(QPainter(self), QRectF(self.rect()), RADIUS, color("raised"), color("border"))

    def _show(self, text: str, words: str, act: Callable[[], None] | None) -> None:
        self._act = act
        self._undoes = False
        self._words.set_text(text)
        line = QFontMetricsF(self._theme.font("body")).horizontalAdvance(text)
        width = min(math.ceil(line) + 2, _WIDEST, max(self._ground.width() - _BESIDE_WORDS, 120))
        self._words.setMaximumWidth(width)  # its height is reckoned for no more than that
        self._words.setFixedSize(width, self._words.heightForWidth(width))
        self.setAccessibleName(text)
        self._action.set_words(words)
        self._action.setVisible(act is not None)
        self.adjustSize()
        self._place()
        self.show()
        self.raise_()
        # It lies below everything, and may be older than the page.
        visit_in_order([self._action, self._close], before=self.window())
        self._timer.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _leave(self) -> None:
        focus = QApplication.focusWidget()
        if focus is not None and self.isAncestorOf(focus):
            self._timer.start()
        else:
            self.dismiss()

    def _place(self) -> None:
        if self._base is not None and self._base.isVisible():
            corner = self._base.mapTo(self._ground, QPoint(0, 0))
            left, width, bottom = corner.x(), self._base.width(), corner.y() - _GAP
        else:
            left, width = 0, self._ground.width()
            bottom = self._ground.height() - _ABOVE_BOTTOM
        self.move(max(8, left + (width - self.width()) // 2), bottom - self.height())
