"""Asks for the passphrase that seals the file with the keys."""

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ui.kit import Button, Label, Meter, Paragraph, TextField
from ui.kit.fitted_dialog import FittedDialog
from ui.theme import Theme

Purpose = Literal["make", "use", "unlock"]
"""A new file, one that is there and shall be used from now on, or the one in use."""


class PassphraseDialog(FittedDialog):
    """Stays open while the file is opened, and says why where that fails. A new passphrase is typed twice.

    Signals:
        given(str): a passphrase to try.
    """

    given = Signal(str)

    def __init__(self, theme: Theme, purpose: Purpose, parent: QWidget | None = None) -> None:
        super().__init__(theme, "", parent)
        self._is_new = purpose == "make"
        title, words, go_on = self._words_of(purpose)
        self.setWindowTitle(title)
        self._field = self._make_field(self.tr("Passphrase"))
        self._again = self._make_field(self.tr("The same again"))
        self._meter = Meter(theme, self.tr("Opening the file…"))
        self._meter.set_fraction(None)
        self._meter.hide()
        self._problem = Paragraph(theme, kind="small", role="danger")
        self._problem.hide()
        cancel = Button(theme, self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self._go_on = Button(theme, go_on, "primary")
        self._go_on.clicked.connect(self._give)
        self._go_on.setEnabled(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self._go_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(Paragraph(theme, words))
        for field in self._fields:
            pair = QVBoxLayout()
            pair.setSpacing(4)
            pair.addWidget(Label(theme, field.accessibleName(), "label"))
            pair.addWidget(field)
            column.addLayout(pair)
        column.addWidget(self._meter)
        column.addWidget(self._problem)
        column.addSpacing(4)
        column.addLayout(buttons)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_problem(self, words: str) -> None:
        """Why it is of no use."""
        self._show_working(False)
        self._problem.set_text(words)
        self._problem.show()
        self._field.setAccessibleDescription(words)
        for field in self._fields:
            field.clear()
            field.set_invalid(True)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def _fields(self) -> tuple[TextField, ...]:
        return (self._field, self._again) if self._is_new else (self._field,)

    def _make_field(self, name: str) -> TextField:
        field = TextField(self.theme, name)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setMaxLength(1000)
        field.textEdited.connect(self._edited)
        field.returnPressed.connect(self._give)
        return field

    def _edited(self) -> None:
        self._problem.hide()
        for field in self._fields:
            field.set_invalid(False)
        self._field.setAccessibleDescription("")
        self._go_on.setEnabled(all(field.text() for field in self._fields))

    def _give(self) -> None:
        if not self._go_on.isEnabled():
            return
        passphrase = self._field.text()
        if self._is_new and passphrase != self._again.text():
            self.show_problem(self.tr("The two are not the same. Type both again."))
            return
        self._show_working(True)
        self.given.emit(passphrase)

    def _show_working(self, working: bool) -> None:
        self._meter.setVisible(working)
        self._problem.hide()
        self._go_on.setEnabled(False)
        for field in self._fields:
            field.setEnabled(not working)

    def _words_of(self, purpose: Purpose) -> tuple[str, str, str]:
        match purpose:
            case "make":
                words = self.tr(
                    "Your keys are sealed into a file that only this passphrase opens. Causeway asks "
                    "for it once after each start. If you forget it, the keys are lost and have to "
                    "be set again."
                )
                return self.tr("Keep keys in a sealed file"), words, self.tr("Make the file")
            case "use":
                words = self.tr("There is a sealed file already. Its passphrase opens it.")
                return self.tr("Keep keys in a sealed file"), words, self.tr("Use the file")
            case "unlock":
                words = self.tr("The passphrase opens the file until Causeway is closed.")
                return self.tr("Unlock your keys"), words, self.tr("Unlock")
