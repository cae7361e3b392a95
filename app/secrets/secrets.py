"""Every key and token of the program, by name, and where they are kept."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from app.errors import AppError
from app.secrets.sealed_file import SealedFile
from app.secrets.system_keyring import SystemKeyring
from app.settings_file import SettingsFile

_HUB = "hub-token"
SERVER_KEY = "server-key"
_LONGEST = 1000
_ASK_AGAIN_SECONDS = 30.0  # after it could not be asked: it may be unlocked meanwhile
HUB_VARIABLE = "HF_TOKEN"
"""Read where no token has been set: servers and containers have no keyring."""

Place = Literal["keyring", "file"]


class SecretsState(msgspec.Struct, frozen=True, kw_only=True):
    """Where secrets are kept. `reason` says in words why that is not `usable`, also while locked.

    `file_exists`: there is a sealed file, in use or not.
    """

    place: Place
    usable: bool
    locked: bool = False
    file_exists: bool = False
    reason: str = ""


class Secrets:
    """Reads and writes secrets where the person keeps them. From any thread but the window's:
    asking a keyring can take as long as a person takes to unlock it.

    What was read is kept in memory, so that it is asked once; of a place that can't be asked now, it
    is asked again after half a minute at the soonest.
    """

    def __init__(self, settings: SettingsFile, file: Path) -> None:
        """`file` is where the sealed file lies, or will."""
        self._settings = settings
        self._keyring = SystemKeyring()
        self._file = SealedFile(file)
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._asked: dict[str, float] = {}

    def state(self) -> SecretsState:
        place = self._settings.current.secrets_place
        exists, locked = self._file.exists, False
        try:
            if place == "file":
                locked = exists and self._file.is_locked
                self._file.read(_HUB)
            else:
                self._keyring.check()
        except AppError as error:
            return SecretsState(
                place=place, usable=False, locked=locked, file_exists=exists, reason=str(error)
            )
        return SecretsState(place=place, usable=True, file_exists=exists)

    def use_file(self, passphrase: str) -> None:
        """Keep secrets in the sealed file from now on, and move there what can be moved."""
        self._file.open(passphrase)
        self._move("file")

    def use_keyring(self) -> None:
        """Keep secrets in the keyring from now on, and move there what can be moved."""
        self._keyring.check()
        self._move("keyring")

    def unlock(self, passphrase: str) -> None:
        """Open the sealed file for this process. Raises `AppError` for a wrong passphrase."""
        self._file.open(passphrase)
        self._forget()

    def read(self, name: str) -> str:
        """The secret; an empty text where there is none, or where the place can't be asked."""
        with self._lock:
            if name in self._known:
                return self._known[name]
            if time.monotonic() - self._asked.get(name, -_ASK_AGAIN_SECONDS) < _ASK_AGAIN_SECONDS:
                return ""
            self._asked[name] = time.monotonic()
            with suppress(AppError):
                self._known[name] = self._place().read(name)
            return self._known.get(name, "")

    def write(self, name: str, secret: str) -> None:
        """Keep a secret. Raises `AppError` for what can be none, and where it can't be kept."""
        cleaned = secret.strip()
        if not _may_be_secret(cleaned):
            raise AppError("This is no key.", fix="Copy it whole.")
        with self._lock:
            self._place().write(name, cleaned)
            self._note(lambda names: (*names, name))
            self._known[name] = cleaned

    def delete(self, name: str) -> None:
        """Forget a secret; one that isn't there is no matter."""
        with self._lock:
            if self.has(name):
                self._place().delete(name)
                self._note(lambda names: tuple(each for each in names if each != name))
            self._known.pop(name, None)

    def has(self, name: str) -> bool:
        """Whether one was kept. Asks no keyring."""
        return name in self._names()

    def hub_token(self) -> str:
        """The token that was set, else the environment's, else an empty text."""
        if not self._settings.current.has_hub_token:
            return os.environ.get(HUB_VARIABLE, "").strip()
        return self.read(_HUB)

    def set_hub_token(self, token: str) -> None:
        """Keep the token. Raises `AppError` where it can't be kept."""
        cleaned = token.strip()
        if not _may_be_secret(cleaned) or not cleaned.isascii():
            raise AppError("This is no token.", fix="Copy it whole, from the Hub's page of tokens.")
        self.write(_HUB, cleaned)
        self._settings.update(has_hub_token=True)

    def remove_hub_token(self) -> None:
        """Forget the token. Raises `AppError` where the place does not let go of it."""
        self.delete(_HUB)
        self._settings.update(has_hub_token=False)

    def _note(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        """Keep the names as the change makes them, of those that other processes kept meanwhile."""
        self._settings.load()
        self._settings.update(secret_names=tuple(dict.fromkeys(change(self._names()))))

    def _names(self) -> tuple[str, ...]:
        """Of what is kept. Older versions noted the Hub's token alone, in a setting of its own."""
        current = self._settings.current
        names = (*current.secret_names, *((_HUB,) if current.has_hub_token else ()))
        return tuple(dict.fromkeys(names))

    def _place(self) -> SystemKeyring | SealedFile:
        return self._file if self._settings.current.secrets_place == "file" else self._keyring

    def _move(self, place: Place) -> None:
        """What the old place gives up goes to the new one; what it doesn't must be set again."""
        with self._lock:
            before = self._place()
            found: dict[str, str] = {}
            for name in self._names():
                with suppress(AppError):
                    found[name] = before.read(name)
            self._settings.update(secrets_place=place)
            after = self._place()
            for name, secret in found.items():
                if secret and after is not before:
                    after.write(name, secret)
                    with suppress(AppError):
                        before.delete(name)
            self._known.clear()
            self._asked.clear()

    def _forget(self) -> None:
        with self._lock:
            self._known.clear()
            self._asked.clear()


def _may_be_secret(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable() and " " not in text
