"""The system prompt and its like: a text box that grows with what is written in it."""

from math import ceil

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from ui.kit import TextArea
from ui.theme import Theme

PAUSE_MS = 400
"""How long typing must pause before the text is reported."""

_FEWEST_LINES = 3
_MOST_LINES = 10
_FRAME = 20  # edge, padding and margin, above and below together


class PromptBox(TextArea):
    """Some lines of text.

    Signals:
        edited(str): a person changed it; after a pause, and when the focus leaves.
    """

    edited = Signal(str)

    def __init__(
        self,
        theme: Theme,
        name: str,
        placeholder: str,
        parent: QWidget | None = None,
        *,
        fewest_lines: int = _FEWEST_LINES,
        code: bool = False,
    ) -> None:
        super().__init__(theme, name, placeholder, parent=parent)
        self._fewest_lines = fewest_lines
        if code:
            self.setFont(theme.font("code"))
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._report)
        self.setAccessibleDescription(placeholder)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.textChanged.connect(self._pause.start)
        self._fit()

    def show_text(self, text: str) -> None:
        """Show a text. What a person is typing stays: it will be reported, and shown, in turn."""
        if not self._pause.isActive():
            self.replace_text(text)

    def replace_text(self, text: str) -> None:
        """Show a text in place of whatever stands there."""
        if text != self.toPlainText():
            self.setPlainText(text)
        self._pause.stop()

    def flush(self) -> None:
        """Report at once what waits for a pause: before another chat is shown."""
        if self._pause.isActive():
            self._pause.stop()
            self._report()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.flush()

    def _report(self) -> None:
        self.edited.emit(self.toPlainText())

    def _fit(self) -> None:
        # The layout of a plain text counts its height in lines.
        lines = ceil(self.document().size().height())
        shown = min(max(lines, self._fewest_lines), _MOST_LINES)
        off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.setVerticalScrollBarPolicy(off if lines <= _MOST_LINES else needed)
        self.setFixedHeight(shown * self.fontMetrics().lineSpacing() + _FRAME)
