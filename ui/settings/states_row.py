"""What is kept of chats that were read: how much it is, and the button that deletes it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.formatting import bytes_text
from ui.kit import Button, ControlLine, Label, Paragraph
from ui.kit.focus import pass_focus_back
from ui.theme import Theme


class StatesRow(QWidget):
    """Signals:
    clear_requested
    """

    clear_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = Paragraph(theme, kind="small")
        self._clear = Button(theme, self.tr("Clear"))
        self._clear.setAccessibleName(self.tr("Clear what was remembered"))
        self._clear.setEnabled(False)
        self._clear.clicked.connect(self.clear_requested)
        title = Label(theme, self.tr("Remembered now"), "label")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.addWidget(ControlLine([title, self._words], [self._clear]))

    def show_bytes(self, taken: int) -> None:
        """What it takes on the disk."""
        self._words.set_role("text2")
        self._words.set_text(
            self.tr("{size} on this computer.").format(size=bytes_text(taken))
            if taken
            else self.tr("Nothing.")
        )
        if not taken:
            pass_focus_back(self._clear)
        self._clear.setEnabled(taken > 0)

    def show_freed(self, freed: int, taken: int) -> None:
        """It was deleted; what a running model saves at the moment may be there again."""
        self.show_bytes(taken)
        self._words.set_role("ok")
        self._words.set_text(self.tr("{size} freed.").format(size=bytes_text(freed)))
