"""The file in which the settings are kept."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.errors import AppError, StorageError
from app.kept_files import damage_sentence
from app.settings import Settings, checked_setting
from app.shared_file import alone_with
from catalog.kept_file import KeptFile, Stamp, stamp_of
from catalog.portable_paths import located, portable
from catalog.whole_file import write_whole

_LARGEST_FILE = 1_000_000
_KEYS = tuple(field.name for field in msgspec.structs.fields(Settings))
_ABSENT = object()
_OF_PATHS = {"models_folder", "model_folders", "catalogues"}


class SettingsFile:
    """The settings in a JSON file that a person can read and edit. Safe to call from any thread.

    The file holds only what differs from the defaults, and has paths in its own folder relative to it, so
    that the folder can be moved. Keys it doesn't know, a newer program's, stay
    in it. Another process may write it too: each writes whole files, and only its own changes.

    Attributes:
        current: the settings as last read or written.
        notice: a sentence for the person about what in the file could not be used, or "".
        file: what became of a damaged one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = KeptFile(path, self._decoded, _LARGEST_FILE)
        self.current = Settings()
        self.notice = ""
        self._lock = threading.Lock()
        self._seen: Stamp | None = None
        self._changed_elsewhere = False

    def load(self) -> Settings:
        """Read the file. A damaged one is set aside; nothing in it ever keeps the program down."""
        with self._lock:
            self.notice = ""
            try:
                self._take(self._read())
            except StorageError as error:
                self.notice = str(error)
            return self.current

    def read_again(self) -> bool:
        """Read the file, and say whether another process has written it since this was asked last."""
        self.load()
        with self._lock:
            changed, self._changed_elsewhere = self._changed_elsewhere, False
            return changed

    def update(self, **changes: object) -> Settings:
        """Change some settings, here and in the file; an `AppError` where a value isn't possible."""
        checked = {key: checked_setting(key, value) for key, value in changes.items()}
        with self._lock, alone_with(self.path):
            stored = self._read() | checked
            defaults = msgspec.structs.asdict(Settings())
            kept = {key: v for key, v in stored.items() if v != defaults.get(key, _ABSENT)}
            self._store(kept)
            self._take(kept)
            return self.current

    def _take(self, stored: Mapping[str, object]) -> None:
        values: dict[str, Any] = {}
        refused: list[str] = []
        for key in _KEYS:
            if key in stored:
                try:
                    values[key] = checked_setting(key, stored[key])
                except AppError as error:
                    refused.append(str(error))
        if refused:
            self.notice = f"{' '.join(refused)} The default is used instead; see {self.path}."
        self.current = Settings(**values)

    def _read(self) -> dict[str, Any]:
        try:
            stamp = stamp_of(self.path)
            stored = self.file.read()
        except OSError as error:
            raise StorageError(
                f"The settings in {self.path} can't be read.",
                f"{error.strerror or error}.",
                "Make the file readable. The defaults are used until then.",
            ) from error
        self._changed_elsewhere |= stamp != self._seen
        self._seen = stamp
        if stored is None and self.file.damage is not None:
            self.notice = damage_sentence("settings", self.file.damage)
        return stored or {}

    def _store(self, kept: dict[str, Any]) -> None:
        stored = _with_paths(kept, portable, self.path.parent)
        content = msgspec.json.format(msgspec.json.encode(stored), indent=2)
        try:
            self.file.make_way()
            write_whole(self.path, content + b"\n", durable=True)
            self._seen = stamp_of(self.path)
        except OSError as error:
            raise StorageError(
                f"The settings could not be saved to {self.path}.",
                f"{error.strerror or error}.",
                "Free some space or make the folder writable, and change the setting again.",
            ) from error

    def _decoded(self, content: bytes) -> dict[str, Any]:
        stored = msgspec.json.decode(content, type=dict[str, Any])
        return _with_paths(stored, located, self.path.parent)


def _with_paths(
    values: dict[str, Any], change: Callable[[str, Path], str], home: Path
) -> dict[str, Any]:
    """The settings with each path changed. What is no text is left for the check of settings."""
    changed = dict(values)
    for key in _OF_PATHS & values.keys():
        match values[key]:
            case str() as path:
                changed[key] = change(path, home)
            case list() | tuple() as paths:
                changed[key] = [change(p, home) if isinstance(p, str) else p for p in paths]
    return changed
