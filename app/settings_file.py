"""The file in which the settings are kept."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.errors import AppError, StorageError
from app.set_aside import set_aside_name
from app.settings import Settings, checked_setting
from app.shared_file import alone_with
from catalog.whole_file import write_whole

_LARGEST_FILE = 1_000_000
_KEYS = tuple(field.name for field in msgspec.structs.fields(Settings))
_ABSENT = object()


class SettingsFile:
    """The settings in a JSON file that a person can read and edit. Safe to call from any thread.

    The file holds only what differs from the defaults. Keys it doesn't know, a newer program's, stay
    in it. Another process may write it too: each writes whole files, and only its own changes.

    Attributes:
        current: the settings as last read or written.
        notice: a sentence for the person about what in the file could not be used, or "".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current = Settings()
        self.notice = ""
        self._lock = threading.Lock()

    def load(self) -> Settings:
        """Read the file. A damaged one is set aside; nothing in it ever keeps the program down."""
        with self._lock:
            self.notice = ""
            try:
                self._take(self._read())
            except StorageError as error:
                self.notice = str(error)
            return self.current

    def update(self, **changes: object) -> Settings:
        """Change some settings, here and in the file; an `AppError` where a value isn't possible."""
        checked = {key: checked_setting(key, value) for key, value in changes.items()}
        with self._lock, alone_with(self.path):
            stored = self._read() | checked
            defaults = msgspec.structs.asdict(Settings())
            kept = {key: v for key, v in stored.items() if v != defaults.get(key, _ABSENT)}
            _store(self.path, msgspec.json.format(msgspec.json.encode(kept), indent=2))
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
            with self.path.open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(
                f"The settings in {self.path} can't be read.",
                f"{error.strerror or error}.",
                "Make the file readable. The defaults are used until then.",
            ) from error
        try:
            if len(content) <= _LARGEST_FILE:
                return msgspec.json.decode(content, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            pass
        self._set_aside()
        return {}

    def _set_aside(self) -> None:
        aside = set_aside_name(self.path, "damaged")
        try:
            self.path.replace(aside)
        except OSError as error:
            raise StorageError(
                f"The settings in {self.path} are damaged and could not be moved aside.",
                f"{error.strerror or error}.",
                "Mend or remove the file. The defaults are used until then.",
            ) from error
        self.notice = (
            f"The settings file was damaged. It is kept as {aside}, and the defaults are used."
        )


def _store(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content + b"\n", durable=True)
    except OSError as error:
        raise StorageError(
            f"The settings could not be saved to {path}.",
            f"{error.strerror or error}.",
            "Free some space or make the folder writable, and change the setting again.",
        ) from error
