"""A text with a form of its own, in a window with room for it."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.errors import AppError
from app.options import Option, checked
from ui.kit import Button, Paragraph, TextArea
from ui.kit.fitted_dialog import room_on_screen
from ui.theme import Theme

_SIZE = QSize(640, 480)


class TextDialog(QDialog):
    """What it means above, what is wrong with it below; saved only where nothing is.

    Signals:
        saved: the text.
    """

    saved = Signal(str)

    def __init__(
        self,
        theme: Theme,
        option: Option,
        text: str,
        example: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._option = option
        self._example_text = example
        self.setWindowTitle(self.tr(option.title))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_SIZE.boundedTo(room_on_screen(self)))
        self._box = TextArea(theme, self.tr(option.title))
        self._box.setFont(theme.font("code"))
        self._box.setPlainText(text)
        self._words = Paragraph(theme, "", "small", "danger")
        self._words.setMinimumHeight(theme.line_height("small"))
        self._example = Button(theme, self.tr("Begin with an example"), "ghost")
        self._example.clicked.connect(self._show_example)
        cancel = Button(theme, self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self._save = Button(theme, self.tr("Save"), "primary")
        self._save.clicked.connect(self._accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._example)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self._save)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(Paragraph(theme, self.tr(option.help)))
        column.addWidget(self._box, 1)
        column.addWidget(self._words)
        column.addLayout(buttons)
        self._box.textChanged.connect(self._check)
        self._check()
        self._box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _check(self) -> None:
        text = self._box.toPlainText()
        problem = problem_with(self._option, text)
        self._words.set_text(problem)
        self._save.setEnabled(not problem)
        self._example.setEnabled(not text.strip())

    def _show_example(self) -> None:
        self._box.setPlainText(self._example_text)
        self._box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _accept(self) -> None:
        self.saved.emit(self._box.toPlainText())
        self.accept()


def problem_with(option: Option, text: str) -> str:
    """What is wrong with a text, in words; empty where it is sound."""
    try:
        checked(option.key, text)
    except AppError as error:
        return str(error)
    return ""
