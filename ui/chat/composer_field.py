"""The text field of the composer: grows with its text, takes plain text only."""

from math import ceil

from PySide6.QtCore import QEvent, QMimeData, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from ui.chat.long_lines import insert_plain, plain_text
from ui.theme import Theme

MOST_LINES = 10
_MOST_HINT_LINES = 4
LONGEST_PASTE = 2_000_000
"""Characters beyond which a paste is refused: no model's context holds as much."""

_BREAKS_LINE = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier


class ComposerField(QTextEdit):
    """Where a message is written.

    Signals:
        submitted: Enter, outside of an input method's composition.
        escaped: Esc.
        previous_wanted: Up, in an empty field.
        paste_refused(int): that many characters are too many.
        focus_changed(bool)
    """

    submitted = Signal()
    escaped = Signal()
    previous_wanted = Signal()
    paste_refused = Signal(int)
    focus_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hint = ""
        self._line = theme.line_height("reading")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setFont(theme.font("reading"))
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QTextEdit { background: transparent; }")
        self.document().setDocumentMargin(0)
        self.setCursorWidth(2)
        self._block_format = QTextBlockFormat()
        self._block_format.setLineHeight(
            self._line, QTextBlockFormat.LineHeightTypes.MinimumHeight.value
        )
        self.set_text("")
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.document().contentsChanged.connect(self._fit)
        self._fit()

    def text(self) -> str:
        selection = QTextCursor(self.document())
        selection.select(QTextCursor.SelectionType.Document)
        return plain_text(selection)

    def set_text(self, text: str) -> None:
        """Replace the text and forget what could be undone."""
        self.document().setUndoRedoEnabled(False)
        self.clear()
        cursor = self.textCursor()
        cursor.setBlockFormat(self._block_format)
        insert_plain(cursor, text, self._block_format)
        self.document().setUndoRedoEnabled(True)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def insert_words(self, text: str) -> None:
        """Insert a text at the cursor, with a space to the words before and after it."""
        cursor = self.textCursor()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        document = self.document()
        before = document.characterAt(start - 1) if start else " "
        after = document.characterAt(end)
        apart = "" if before.isspace() else " "
        insert_plain(cursor, apart + text + ("" if after.isspace() else " "), self._block_format)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def is_blank(self) -> bool:
        """Whether there is nothing but white space; the first word decides, so it is quick."""
        block = self.document().begin()
        while block.isValid():
            if block.text().strip():
                return False
            block = block.next()
        return True

    def set_hint(self, words: str) -> None:
        """What stands in the empty field. It lies where the text will, which Qt's own does not."""
        self._hint = words
        self.setAccessibleDescription(words)
        self._fit()
        self.viewport().update()

    @property
    def hint(self) -> str:
        return self._hint

    def sizeHint(self) -> QSize:
        return QSize(200, self._line)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self._line)

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.matches(QKeySequence.StandardKey.Undo)
            and (self.isReadOnly() or not self.document().isUndoAvailable())
        ):
            # Nothing was written that it could take back: the keys are the window's.
            event.ignore()
            return False
        return super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not any(url.isLocalFile() for url in source.urls())

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(plain_text(self.textCursor()))
        return data

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        if len(text) > LONGEST_PASTE:
            self.paste_refused.emit(len(text))
            return
        cursor = self.textCursor()
        insert_plain(cursor, text, self._block_format)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.textCursor().block().layout().preeditAreaText():
            # An input method is composing: Enter and Esc are answers to it.
            super().keyPressEvent(event)
            return
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & _BREAKS_LINE:
                self.textCursor().insertBlock(self._block_format)
                self.ensureCursorVisible()
            else:
                self.submitted.emit()
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif key == Qt.Key.Key_Up and self.document().isEmpty():
            self.previous_wanted.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        layout = self.document().firstBlock().layout()
        if not self._hint or not self.document().isEmpty() or layout.preeditAreaText():
            return
        line = layout.lineAt(0)
        painter = QPainter(self.viewport())
        painter.setPen(self._theme.color("text3"))
        hint = self._laid_out_hint()
        first = layout.position().y() + line.y() + line.ascent() - hint.lineAt(0).ascent()
        for number in range(hint.lineCount()):
            hint.lineAt(number).draw(painter, QPointF(0, first + number * self._line))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _laid_out_hint(self) -> QTextLayout:
        """The hint as it wraps, up to a few lines."""
        layout = QTextLayout(self._hint, self.font())
        wrapping = QTextOption()
        wrapping.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(wrapping)
        layout.beginLayout()
        while layout.lineCount() < _MOST_HINT_LINES and (line := layout.createLine()).isValid():
            line.setLineWidth(self.viewport().width())
        layout.endLayout()
        return layout

    def _fit(self) -> None:
        height = ceil(self.document().size().height())
        if self.document().isEmpty():
            height = max(height, self._laid_out_hint().lineCount() * self._line)
        self.setFixedHeight(min(max(height, self._line), MOST_LINES * self._line))
