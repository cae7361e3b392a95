"""Where keys and tokens are kept: the system's keyring, or a file that a passphrase seals."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.secrets import SecretsState
from ui.kit import Button, Chip, ControlLine, Label, Paragraph
from ui.theme import Theme


class KeyPlaceRow(QWidget):
    """Says which of the two it is and whether it answers, and changes it.

    Signals:
        file_requested, keyring_requested: keep them there from now on.
        unlock_requested
    """

    file_requested = Signal()
    keyring_requested = Signal()
    unlock_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chip = Chip(theme, self.tr("One moment…"), "plain", "key")
        self._unlock = Button(theme, self.tr("Unlock…"))
        self._unlock.setAccessibleName(self.tr("Unlock the keys"))
        self._unlock.clicked.connect(self.unlock_requested)
        self._file = Button(theme, self.tr("Use a sealed file…"))
        self._file.clicked.connect(self.file_requested)
        self._keyring = Button(theme, self.tr("Use the keyring"))
        self._keyring.clicked.connect(self.keyring_requested)
        self._words = Paragraph(theme, kind="small", role="danger")
        self._words.hide()
        about = self.tr(
            "The Hub token, the keys of services and the server's key. Never as plain text: the "
            "system's keyring has them, or a file that your passphrase seals."
        )
        line = ControlLine(
            [
                Label(theme, self.tr("Where keys are kept"), "label"),
                Paragraph(theme, about, "small"),
            ],
            [self._chip, self._unlock, self._file, self._keyring],
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(line)
        column.addWidget(self._words)
        for button in (self._unlock, self._file, self._keyring):
            button.hide()

    def show_state(self, state: SecretsState) -> None:
        """How it stands with it."""
        in_file = state.place == "file"
        self._file.setVisible(not in_file)
        self._keyring.setVisible(in_file and not state.locked)
        self._unlock.setVisible(state.locked)
        name = self.tr("Sealed file") if in_file else self.tr("Keyring")
        if state.usable:
            self._chip.set_words(name, "ok")
        elif state.locked:
            self._chip.set_words(self.tr("Locked"), "warn")
        else:
            self._chip.set_words(self.tr("None answers"), "warn")
        self._say("" if state.usable or state.locked else state.reason)

    def show_problem(self, words: str) -> None:
        """Why it could not be changed."""
        self._say(words)

    def _say(self, words: str) -> None:
        self._words.set_text(words)
        self._words.setVisible(bool(words))
