"""Where keys are kept, as the window sees it: asked off the main thread, since a keyring may ask back."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.errors import Problem, problem_from
from app.secrets import Secrets, SecretsState
from ui.background import Background
from ui.keys.passphrase_dialog import PassphraseDialog
from ui.theme import Theme


class KeyPlaces(QObject):
    """Reads how it stands with the place, and changes it.

    Attributes:
        now: as last read; None until then.

    Signals:
        changed: the `SecretsState`.
        refused: the `Problem` for which the place could not be changed.
    """

    changed = Signal(object)
    refused = Signal(object)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        secrets: Secrets,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.now: SecretsState | None = None
        self._theme = theme
        self._background = background
        self._secrets = secrets

    def read(self) -> None:
        """Ask anew."""
        self._background.run(self, self._secrets.state, self._take)

    def ask_for_file(self, window: QWidget) -> None:
        """Keep keys in the sealed file from now on: ask for its passphrase."""
        there = self.now is not None and self.now.file_exists
        dialog = PassphraseDialog(self._theme, "use" if there else "make", window)
        self._try_in(dialog, self._secrets.use_file)

    def ask_to_unlock(self, window: QWidget) -> None:
        """Open the sealed file that is in use."""
        dialog = PassphraseDialog(self._theme, "unlock", window)
        self._try_in(dialog, self._secrets.unlock)

    def use_keyring(self) -> None:
        """Keep keys in the system's keyring from now on."""
        self._background.run(self, self._secrets.use_keyring, lambda _: self.read(), self._refuse)

    def _try_in(self, dialog: PassphraseDialog, op: Callable[[str], None]) -> None:
        def opened(_: object) -> None:
            if isValid(dialog):  # else it was closed meanwhile
                dialog.accept()
            self.read()

        def refused(error: Exception) -> None:
            problem = _problem_of(error)
            if isValid(dialog):
                dialog.show_problem(problem.sentence())

        def give(passphrase: str) -> None:
            self._background.run(self, partial(op, passphrase), opened, refused)

        dialog.given.connect(give)
        dialog.open()

    def _take(self, state: SecretsState) -> None:
        self.now = state
        self.changed.emit(state)

    def _refuse(self, error: Exception) -> None:
        self.refused.emit(_problem_of(error))


def _problem_of(error: Exception) -> Problem:
    problem = problem_from(error)
    if problem is None:
        raise error
    return problem
