"""The Hub token: set, test, replace and remove it. Once set it is never shown again."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ui.kit import Button, Chip, ControlLine, Label, Paragraph, TextField
from ui.theme import Theme

_WIDTH = 300
"""Of the field and its button together: the fields above and below are as wide."""

_GAP = 8


class TokenRow(QWidget):
    """A field while there is no token, and what can be done with one that is there.

    Signals:
        submitted: a token to keep.
        test_requested, remove_requested
    """

    submitted = Signal(str)
    test_requested = Signal()
    remove_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_set = False
        self._field = TextField(theme, self.tr("Access token"), "hf_…", ground="page")
        self._field.setEchoMode(QLineEdit.EchoMode.Password)
        self._field.returnPressed.connect(self._submit)
        self._save = Button(theme, self.tr("Save"))
        self._save.setAccessibleName(self.tr("Save the token"))
        self._save.clicked.connect(self._submit)
        self._field.setFixedWidth(_WIDTH - _GAP - self._save.sizeHint().width())
        self._test = Button(theme, self.tr("Test"))
        self._test.setAccessibleName(self.tr("Test the token"))
        self._test.clicked.connect(self.test_requested)
        replace = Button(theme, self.tr("Replace"))
        replace.setAccessibleName(self.tr("Replace the token"))
        replace.clicked.connect(self._begin_replacing)
        remove = Button(theme, self.tr("Remove"), "ghost")
        remove.setAccessibleName(self.tr("Remove the token"))
        remove.clicked.connect(self.remove_requested)
        self._chip = Chip(theme, self.tr("In the keyring"), "ok", "key")
        self._words = Paragraph(theme, kind="small")
        self._words.hide()
        self._when_unset = (self._field, self._save)
        self._when_set = (self._chip, self._test, replace, remove)
        title = Label(theme, self.tr("Access token"), "label")
        help_ = self.tr("For models that ask for one. It is never shown again.")
        line = ControlLine(
            [title, Paragraph(theme, help_, "small")], [*self._when_unset, *self._when_set]
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(line)
        column.addWidget(self._words)
        self.show_set(False)

    def show_set(self, is_set: bool) -> None:
        """Whether there is one."""
        self._is_set = is_set
        self._field.clear()
        self._show_controls(of_a_set_token=is_set)

    def show_place(self, sealed_file: bool) -> None:
        """Where it is kept: in the sealed file, or in the keyring."""
        words = self.tr("In the sealed file") if sealed_file else self.tr("In the keyring")
        self._chip.set_words(words, "ok")

    def show_working(self) -> None:
        """It is being stored or tested."""
        self._say(self.tr("One moment…"), "text2")

    def show_done(self, words: str) -> None:
        """What came of it."""
        self._say(words, "ok")

    def show_problem(self, words: str) -> None:
        """Why it could not be done."""
        self._say(words, "danger")

    def _submit(self) -> None:
        if token := self._field.text().strip():
            self.submitted.emit(token)
        elif self._is_set:
            self._show_controls(of_a_set_token=True)

    def _begin_replacing(self) -> None:
        self._show_controls(of_a_set_token=False)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_controls(self, *, of_a_set_token: bool) -> None:
        for part in self._when_unset:
            part.setVisible(not of_a_set_token)
        for control in self._when_set:
            control.setVisible(of_a_set_token)

    def _say(self, words: str, role: str) -> None:
        self._words.set_role(role)
        self._words.set_text(words)
        self._words.setVisible(bool(words))
