"""Asks for the passphrase that seals the file with the keys."""

from typing import Literal

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.kit import TextField
from ui.kit.asking_dialog import AskingDialog
from ui.theme import Theme

Purpose = Literal["make", "use", "unlock"]
"""A new file, one that is there and shall be used from now on, or the one in use."""


class PassphraseDialog(AskingDialog):
    """Stays open while the file is opened, and says why where that fails. A new passphrase is typed twice.

    Signals:
        given(str): a passphrase to try.
    """

    given = Signal(str)

    def __init__(self, theme: Theme, purpose: Purpose, parent: QWidget | None = None) -> None:
        names = [_tr("Passphrase")] + [_tr("The same again")] * (purpose == "make")
        title, words, go_on = _words_of(purpose)
        fields = [_field(theme, name) for name in names]
        super().__init__(
            theme,
            title,
            words,
            fields,
            working=_tr("Opening the file…"),
            go_on=go_on,
            parent=parent,
        )
        self.confirmed.connect(self._give)

    def show_problem(self, words: str) -> None:
        """Why it is of no use. It has to be typed anew."""
        for field in self._fields:
            field.clear()
        super().show_problem(words)

    def _give(self) -> None:
        passphrases = {field.text() for field in self._fields}
        if len(passphrases) > 1:
            self.show_problem(self.tr("The two are not the same. Type both again."))
            return
        self.show_working(True)
        self.given.emit(passphrases.pop())


def _tr(words: str) -> str:
    return QCoreApplication.translate("PassphraseDialog", words)


def _field(theme: Theme, name: str) -> TextField:
    field = TextField(theme, name)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    field.setMaxLength(1000)
    return field


def _words_of(purpose: Purpose) -> tuple[str, str, str]:
    match purpose:
        case "make":
            words = _tr(
                "Your keys are sealed into a file that only this passphrase opens. Causeway asks "
                "for it once after each start. If you forget it, the keys are lost and have to "
                "be set again."
            )
            return _tr("Keep keys in a sealed file"), words, _tr("Make the file")
        case "use":
            words = _tr("There is a sealed file already. Its passphrase opens it.")
            return _tr("Keep keys in a sealed file"), words, _tr("Use the file")
        case "unlock":
            words = _tr("The passphrase opens the file until Causeway is closed.")
            return _tr("Unlock your keys"), words, _tr("Unlock")
