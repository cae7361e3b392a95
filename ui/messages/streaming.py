"""Text that streams into a view: gathered, and shown at a pace that leaves the window free."""

from time import perf_counter

from PySide6.QtCore import QObject, QTimer

from ui.messages.growing import GrowingMarkdown
from ui.messages.view import MessageView

BUSY_SHARE = 0.07
"""The share of the main thread's time that showing new text may take; other work comes on top."""


class StreamingText(QObject):
    """Feeds a view piece by piece.

    The next flush waits at least `interval_ms`, and so long that showing text stays within its share.
    """

    def __init__(self, view: MessageView, interval_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._growing = GrowingMarkdown()
        self._text = ""
        self._pending: list[str] = []
        self._interval_ms = interval_ms
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self.flush)

    @property
    def text(self) -> str:
        """Everything that was added."""
        return self._text + "".join(self._pending)

    def add(self, text: str) -> None:
        """Show this piece soon."""
        self._pending.append(text)
        if not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Show now what was added."""
        self._timer.stop()
        if not self._pending:
            return
        began = perf_counter()
        piece = "".join(self._pending)
        self._pending.clear()
        self._text += piece
        first_changed = self._growing.feed(piece)
        self._view.show_blocks(self._growing.blocks, first_changed, self._text)
        cost_ms = (perf_counter() - began) * 1000 + self._view.last_paint_ms
        self._timer.setInterval(max(self._interval_ms, round(cost_ms / BUSY_SHARE)))
