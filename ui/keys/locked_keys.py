"""Sealed keys are locked at each start: the person is told once, and can unlock them there."""

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.secrets import SecretsState
from app.settings import Settings
from ui.keys.key_places import KeyPlaces
from ui.kit import Toast


class LockedKeys(QObject):
    """Signals:
    usable: keys can be read now.
    """

    usable = Signal()

    def __init__(self, keys: KeyPlaces, toast: Toast, window: QWidget) -> None:
        super().__init__(keys)
        self._keys = keys
        self._toast = toast
        self._window = window
        self._told = False
        keys.changed.connect(self._hear)

    def look(self, settings: Settings) -> None:
        """At a start. Whoever has no key in a sealed file is left alone."""
        if settings.secrets_place == "file" and settings.secret_names:
            self._keys.read()

    def _hear(self, state: SecretsState) -> None:
        if state.usable:
            self.usable.emit()
        elif state.locked and not self._told:
            self._told = True
            words = self.tr("Your keys are locked until you give your passphrase.")
            unlock = partial(self._keys.ask_to_unlock, self._window)
            self._toast.show_offer(words, self.tr("Unlock…"), unlock)
