"""What the model thought before it answered: one line, which unfolds."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.formatting import duration_text
from ui.chat.stack import Stack
from ui.icons import paint_icon
from ui.kit import PaintedButton
from ui.messages.formats import OUT
from ui.messages.mathematics import Formulas
from ui.messages.streaming import StreamingText
from ui.messages.view import MessageView
from ui.theme import Theme


class Thought(Stack):
    """Folded at first; the text is rendered only when it is unfolded.

    Signals:
        height_changed: it needs another height.
        link_activated: an address in the thought was clicked.
    """

    height_changed = Signal()
    link_activated = Signal(str)

    def __init__(
        self, theme: Theme, formulas: Formulas, text: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._formulas = formulas
        self._text = text
        self._view: MessageView | None = None
        self._stream: StreamingText | None = None
        self.line = _ThoughtLine(theme)
        self.line.toggled.connect(self._unfold)
        self.put(self.line)

    @property
    def text(self) -> str:
        return self._text

    def add(self, text: str) -> None:
        """The next piece of a thought that is not finished."""
        self._text += text
        self.line.set_words(self.tr("Thinking…"))
        if self._stream is not None:
            self._stream.add(text)

    def finish(self, text: str, seconds: float) -> None:
        """The whole thought, and how long it took."""
        if self._stream is not None:
            self._stream.flush()
        if self._view is not None and self._view.markdown != text:
            self._view.show_text(text)
        self._text = text
        words = self.tr("Thought for {time}").format(time=duration_text(seconds))
        self.line.set_words(words if seconds > 0 else self.tr("Thought"))

    def _unfold(self, unfolded: bool) -> None:
        if self._view is None:
            self._view = MessageView(self._theme, self._formulas, name=self.tr("Thought"))
            self._stream = StreamingText(
                self._view, self._theme.duration("token_flush") or 50, self
            )
            self._view.height_changed.connect(self._refit_view)
            self._view.link_activated.connect(self.link_activated)
            self.put(self._view, gap=4, inset=OUT)
            self._stream.add(self._text)
            self._stream.flush()
        self._view.setVisible(unfolded)
        self.height_changed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._view is not None and self._view.isVisible():
            # A line at the left, below the caret, tells the thought from the answer.
            line = QRectF(OUT + 1, self._view.y(), 2, self._view.height())
            QPainter(self).fillRect(line, self._theme.color("border"))

    def _refit_view(self) -> None:
        self.height_changed.emit()


class _ThoughtLine(PaintedButton):
    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._font = theme.font("body")

    def set_words(self, words: str) -> None:
        self.setText(words)
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self.theme.color
        height = self.height()
        caret = "caret-down-bold" if self.isChecked() else "caret-right-bold"
        paint_icon(painter, caret, QRectF(OUT - 4, 0, 12, height), 11, color("text3"))
        painter.setFont(self._font)
        painter.setPen(color("text2" if self.state == "rest" else "text"))
        width = QFontMetricsF(self._font).horizontalAdvance(self.text())
        words = QRectF(OUT + 14, 0, width + 8, height)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        self.paint_ring(painter, QRectF(OUT - 8, 0, width + 32, height))
