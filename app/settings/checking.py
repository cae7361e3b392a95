"""Which values a setting can have."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from app.errors import AppError
from app.formatting import shortened
from app.settings.records import Setting, Settings
from app.settings.table import SETTINGS
from catalog.addresses import is_safe_address

_PROXY_SCHEMES = ("http", "https")
_LONGEST_LIST = 100
_DECLARED = {setting.key: setting for setting in SETTINGS}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def checked_setting(key: str, value: object) -> Any:
    """The value if the setting can have it; else an `AppError` that says which values it can have."""
    setting = _DECLARED.get(key)
    try:
        typed = msgspec.convert(value, _TYPES[key])
        msgspec.json.encode(typed)
    except KeyError:
        raise AppError(f"There is no setting called “{shortened(key)}”.") from None
    except (msgspec.ValidationError, UnicodeError) as error:
        if setting is not None and setting.kind == "choice":
            raise _no_choice(setting, value) from None
        why = "It holds half a character." if isinstance(error, UnicodeError) else f"{error}."
        raise AppError(f"“{_quoted(value)}” is no value for {key}.", why) from None
    match setting:
        case Setting(kind="choice") if typed not in [choice.value for choice in setting.choices]:
            raise _no_choice(setting, typed)
        case Setting(kind="url") if typed and not is_safe_address(typed):
            is_plain = typed.lower().startswith("http://")
            raise AppError(
                f"“{_quoted(typed)}” is not safe."
                if is_plain
                else f"“{_quoted(typed)}” is no address.",
                "What comes over plain http can be changed on the way." if is_plain else "",
                "Give one that begins with https://.",
            )
        case Setting(kind="proxy") if typed and not _is_proxy(typed):
            raise AppError(
                f"“{_quoted(typed)}” is no proxy.",
                fix="Give an address such as http://proxy.example:8080.",
            )
        case Setting(kind="number") if not setting.minimum <= typed <= setting.maximum:
            raise AppError(
                f"“{_quoted(typed)}” is no value for {key}.",
                fix=f"It takes a whole number from {setting.minimum} to {setting.maximum:,}.",
            )
        case Setting(kind="list"):
            return _checked_list(setting, typed)
        case Setting(kind="folder") if typed and not _is_whole_path(typed):
            raise AppError(
                f"“{_quoted(typed)}” could be anywhere.",
                fix="Give the whole path of the folder.",
            )
    return typed


def _quoted(value: object) -> str:
    """As far as a sentence can hold it."""
    items = value if isinstance(value, list | tuple) else (value,)
    return shortened(", ".join(str(item) for item in items))


def _is_whole_path(text: str) -> bool:
    try:
        return Path(text).expanduser().is_absolute()
    except RuntimeError:  # “~” of a person who isn't known here
        return False


def _no_choice(setting: Setting, value: object) -> AppError:
    values = ", ".join(str(choice.value) for choice in setting.choices)
    return AppError(
        f"“{_quoted(value)}” is no value for {setting.key}.", fix=f"It takes one of {values}."
    )


def _checked_list(setting: Setting, items: tuple[str, ...]) -> tuple[str, ...]:
    """The items, each once. An item that can't be used is named."""
    stripped = tuple(dict.fromkeys(item.strip() for item in items if item.strip()))
    if len(stripped) > _LONGEST_LIST:
        raise AppError(f"{setting.title} can hold {_LONGEST_LIST} at most.")
    for item in stripped:
        if setting.items != "origins" and _is_whole_path(item):
            continue
        if setting.items == "folders":
            raise AppError(
                f"“{_quoted(item)}” can't be used.", fix="Give the whole path of the folder."
            )
        if setting.items == "origins" and not _is_origin(item):
            raise AppError(
                f"“{_quoted(item)}” is no origin.",
                fix="Give scheme and host, such as https://chat.example or http://localhost:3000.",
            )
        if setting.items == "catalogues" and not is_safe_address(item):
            raise AppError(
                f"“{_quoted(item)}” can't be used as a catalogue.",
                fix="Give an address that begins with https://, or the whole path of a file.",
            )
    return stripped


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
        return is_whole and not re.search(r"\s", url)
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return is_whole and text == f"{parts.scheme}://{parts.netloc}" and "@" not in text
    except ValueError:
        return False
