"""What the command line changes while the window is open, brought into the window."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Qt, Signal

from app.following import follow_files
from app.services import Services
from app.settings import Settings
from ui.background import Background

_OF_KEYS = frozenset({"secrets_place", "secret_names", "has_hub_token", "connections"})


class OutsideChanges(QObject):
    """Follows the files of settings, keys, services and profiles.

    Signals:
        setting_changed: the key of a setting that another process changed, and the `Settings` in force.
        keys_changed: keys may be others, or lie elsewhere.
        choices_changed: services, what they offer, or profiles may be others. Also after a change in this window.
        looked: the files have been read, at the start and after each change.
    """

    setting_changed = Signal(str, object)
    keys_changed = Signal()
    choices_changed = Signal()
    looked = Signal()
    _told = Signal(object)

    def __init__(
        self, background: Background, services: Services, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._services = services
        self._seen = services.settings.current
        self._end: Callable[[], None] | None = None
        self._told.connect(self._read, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Follow the files from now on, and look for what has changed since they were read."""
        self._end = follow_files(self._services.files_of_choices, self._told.emit)
        self._read(frozenset())

    def stop(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end()

    def _read(self, changed: Collection[Path]) -> None:
        read = partial(self._services.read_again, changed)
        self._background.run_in_order(self, read, partial(self._take, changed))

    def _take(self, changed: Collection[Path], is_other: bool) -> None:
        before, self._seen = self._seen, self._services.settings.current
        paths = self._services.paths
        keys = _changed_keys(before, self._seen) if is_other else set()
        for key in sorted(keys):
            self.setting_changed.emit(key, self._seen)
        if keys & _OF_KEYS or paths.secrets_file in changed or is_other:
            self.keys_changed.emit()
        if "connections" in keys or set(changed) - {paths.settings_file, paths.secrets_file}:
            self.choices_changed.emit()
        self.looked.emit()


def _changed_keys(before: Settings, now: Settings) -> set[str]:
    names = (field.name for field in msgspec.structs.fields(Settings))
    return {name for name in names if getattr(before, name) != getattr(now, name)}
