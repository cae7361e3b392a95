"""A program that uses the server, to read and to copy."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.kit import Button, ComboBox
from ui.kit.painting import RADIUS, rounded
from ui.server.examples import Example, examples
from ui.theme import Theme


class ExampleBox(QWidget):
    """One example at a time. The key is shown by its end alone, and copied whole.

    Signals:
        copy_requested: the `Example`, to be copied with the key.
    """

    copy_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._address = self._key = self._model = ""
        self._examples = {example.id: example for example in examples()}
        items = [(example.title, example.id) for example in self._examples.values()]
        self._choice = ComboBox(theme, self.tr("Kind of program"), items, "page", small=True)
        self._choice.currentIndexChanged.connect(self._show)
        copy = Button(theme, self.tr("Copy"), "ghost", "copy-simple", small=True)
        copy.setAccessibleName(self.tr("Copy the example, with the key"))
        copy.clicked.connect(self._copy)
        self._code = QLabel()
        self._code.setTextFormat(Qt.TextFormat.PlainText)
        self._code.setFont(theme.font("code"))
        self._code.setWordWrap(True)
        self._code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        head.addWidget(self._choice)
        head.addStretch(1)
        head.addWidget(copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 12, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._code)

    @property
    def example(self) -> Example:
        return self._examples[self._choice.currentData()]

    def show_server(self, address: str, shown_key: str, model: str) -> None:
        """What the programs need to know."""
        self._address, self._key, self._model = address, shown_key, model
        self._show()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        ground = QRectF(self.rect())
        rounded(QPainter(self), ground, RADIUS, color("sunken"), color("hairline"))

    def _show(self) -> None:
        self._code.setText(self.example.filled(self._address, self._key, self._model))

    def _copy(self) -> None:
        self.copy_requested.emit(self.example)
