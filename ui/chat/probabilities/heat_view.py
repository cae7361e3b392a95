"""The text of an answer, each token on the ground that its probability has."""

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QToolTip, QWidget

from backends.protocol import TokenLogprob
from ui.chat.probabilities.heat import STEPS, step_color, step_of, token_words, visible
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

MOST_TOKENS = 4000
"""More of them are not shown: building would hold up the window."""

_GROUND = "raised"
_STEP_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class HeatView(QTextEdit):
    """The arrow keys go from token to token, the pointer points at one.

    Signals:
        pointed_at(str): what is known of the token that keys or pointer came to, in words.
    """

    pointed_at = Signal(str)

    def __init__(
        self, theme: Theme, tokens: Sequence[TokenLogprob], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tokens = tuple(tokens[:MOST_TOKENS])
        self._starts: list[int] = []
        self._current = -1
        self.setReadOnly(True)
        self.setFont(theme.font("body"))
        self.setAccessibleName(self.tr("The answer, token by token"))
        self.setProperty("heat", True)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.setTabChangesFocus(True)
        self._write()
        theme.changed.connect(self._write)

    @property
    def current(self) -> int:
        """The token that is pointed at, −1 for none."""
        return self._current

    def go_to(self, token: int) -> None:
        """Point at a token, and bring it into view."""
        if not 0 <= token < len(self._tokens):
            return
        cursor = self.textCursor()
        cursor.setPosition(self._starts[token])
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        self._point_at(token)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEP_KEYS.get(Qt.Key(event.key()))
        if step is not None:
            self.go_to(max(self._current + step, 0))
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End):
            self._point_at(self._token_at(self.textCursor().position()))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._current < 0:
            self.go_to(0)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        token = self._token_under(event.position().toPoint())
        if token >= 0:
            self._point_at(token)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.go_to(self._token_under(event.position().toPoint()))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            token = self._token_under(event.pos())
            words = plain_tooltip(token_words(self._tokens[token])) if token >= 0 else ""
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        return super().viewportEvent(event)

    def _write(self) -> None:
        """All of the text, in the colours of the theme."""
        self.clear()
        self._starts.clear()
        formats = [self._format(step) for step in range(len(STEPS))]
        block = QTextBlockFormat()
        block.setLineHeight(
            self._theme.line_height("reading"),
            QTextBlockFormat.LineHeightTypes.MinimumHeight.value,
        )
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.setBlockFormat(block)
        for token in self._tokens:
            self._starts.append(cursor.position())
            cursor.insertText(visible(token.text), formats[step_of(token.logprob)])
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self._mark()

    def _format(self, step: int) -> QTextCharFormat:
        char = QTextCharFormat()
        char.setForeground(self._theme.color("text"))
        if STEPS[step].strength:
            char.setBackground(step_color(self._theme, step, _GROUND))
        return char

    def _point_at(self, token: int) -> None:
        if token == self._current or token < 0:
            return
        self._current = token
        words = token_words(self._tokens[token])
        self.setAccessibleDescription(words)
        self._mark()
        self.pointed_at.emit(words)

    def _mark(self) -> None:
        if self._current < 0:
            return
        start = self._starts[self._current]
        after = self._starts[self._current + 1 : self._current + 2]
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        if after:
            cursor.setPosition(after[0], QTextCursor.MoveMode.KeepAnchor)
        else:
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        look.setBackground(self._theme.color("accent"))
        look.setForeground(self._theme.color("on_accent"))
        mark.cursor, mark.format = cursor, look
        self.setExtraSelections([mark])

    def _token_at(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1

    def _token_under(self, point: QPoint) -> int:
        """−1 beside and below the text."""
        cursor = self.cursorForPosition(point)
        rect = self.cursorRect(cursor)
        if not rect.top() <= point.y() <= rect.bottom():
            return -1
        # The cursor goes to the nearer side of a character.
        before = 1 if point.x() < rect.left() else 0
        return self._token_at(cursor.position() - before)
