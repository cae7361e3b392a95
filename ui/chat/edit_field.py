"""A message, being rewritten where it stands."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.kit import Button, TextArea
from ui.kit.escape import keep_escape
from ui.theme import Theme

_LOWEST, _HIGHEST = 96, 360


class EditField(QWidget):
    """A field of several lines and its two buttons. Esc cancels, Ctrl+Enter saves.

    Signals:
        submitted: the new text; it is not empty.
        cancelled: nothing is to change.
    """

    submitted = Signal(str)
    cancelled = Signal()

    def __init__(
        self, theme: Theme, text: str, save_words: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.field = TextArea(theme, self.tr("Message"))
        self.field.setFont(theme.font("reading"))
        self.field.setPlainText(text)
        # The text keeps the edge of the text around it.
        self.field.document().setDocumentMargin(8)
        self.field.moveCursor(QTextCursor.MoveOperation.End)
        self.save = Button(theme, save_words, "primary", hint="Ctrl ↵")
        self.save.clicked.connect(self._submit)
        cancel = Button(theme, self.tr("Cancel"), "ghost", hint=self.tr("Esc"))
        cancel.clicked.connect(self.cancelled)
        self.field.textChanged.connect(self._allow_saving)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.field, 1)
        column.addLayout(buttons)
        self._line = theme.line_height("reading")
        self._buttons = theme.size("control")

    def sizeHint(self) -> QSize:
        needed = (self.field.document().blockCount() + 1) * self._line
        return QSize(0, min(max(needed, _LOWEST), _HIGHEST) + 8 + self._buttons)

    def event(self, event: QEvent) -> bool:
        return keep_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and control:
            self._submit()
        else:
            super().keyPressEvent(event)

    def _allow_saving(self) -> None:
        self.save.setEnabled(bool(self.field.toPlainText().strip()))

    def _submit(self) -> None:
        if text := self.field.toPlainText().strip():
            self.submitted.emit(text)
