"""What the dialogs have in common that begin work on models."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui.kit import Button, Label, Paragraph, TextField
from ui.theme import Theme

_WIDTH = 480


class MakingDialog(QDialog):
    """Words above, `content` in the middle, a name, and the button that begins.

    The work goes on when the dialog is gone; the line below the models shows it.
    """

    def __init__(
        self, theme: Theme, title: str, words: str, begin: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self.content = QVBoxLayout()
        self.content.setSpacing(8)
        self._name = TextField(theme, self.tr("Name of the new file"))
        self._result = Paragraph(theme, "", "small")
        self._begin = Button(theme, begin, "primary")
        self._begin.clicked.connect(self.accept)
        cancel = Button(theme, self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self._begin)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(Paragraph(theme, words))
        column.addLayout(self.content)
        column.addWidget(Label(theme, self.tr("Name"), "label"))
        column.addWidget(self._name)
        column.addWidget(self._result)
        column.addSpacing(4)
        column.addLayout(buttons)

    @property
    def name(self) -> str:
        """As the person wrote it; empty for the usual one."""
        return self._name.text().strip()

    def suggest_name(self, name: str) -> None:
        """What it is called where nothing is written."""
        self._name.setPlaceholderText(name)

    def show_result(self, words: str) -> None:
        """What will come of it."""
        self._result.set_text(words)

    def allow(self, allowed: bool) -> None:
        """Whether it can begin."""
        self._begin.setEnabled(allowed)
