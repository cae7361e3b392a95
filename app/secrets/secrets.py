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

_NAMES: dict[Place, str] = {"keyring": "system's keyring", "file": "sealed file"}
_OTHER: dict[Place, Place] = {"keyring": "file", "file": "keyring"}


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
        """Move all secrets to the sealed file, and keep them there from now on.

        Raises `AppError` where that fails, and then they stay where they are.
        """
        is_new = not self._file.exists
        self._file.open(passphrase)
        try:
            self._move("file")
        except AppError:
            if is_new:  # else the next try would ask for this passphrase
                self._file.discard()
            raise

    def use_keyring(self) -> None:
        """Move all secrets to the keyring, and keep them there from now on. Raises as `use_file` does."""
        self._keyring.check()
        self._move("keyring")

    def unlock(self, passphrase: str) -> None:
        """Open the sealed file for this process. Raises `AppError` for a wrong passphrase."""
        self._file.open(passphrase)
        self.forget()

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

    def _place(self, place: Place | None = None) -> SystemKeyring | SealedFile:
        """The place in force, or the given one."""
        return (
            self._file
            if (place or self._settings.current.secrets_place) == "file"
            else self._keyring
        )

    def _move(self, place: Place) -> None:
        """Copy everything, then let the new place count, then clear the old one.

        Whatever fails before the new place counts is undone there.
        """
        with self._lock:
            self._settings.load()  # another process may have kept more, or moved it
            before, after = self._place(), self._place(place)
            if before is not after:
                held = self._held_by(before)
                earlier: dict[str, str] = {}
                try:
                    for name, secret in held.items():
                        earlier[name] = after.read(name)
                        after.write(name, secret)
                        if after.read(name) != secret:
                            raise AppError(
                                f"The {_NAMES[place]} does not give back what it was given."
                            )
                    self._settings.update(secrets_place=place)
                except AppError as error:
                    for name, secret in earlier.items():
                        with suppress(AppError):
                            after.write(name, secret) if secret else after.delete(name)
                    stay = (
                        "" if not held else f"Your keys are still in the {_NAMES[_OTHER[place]]}."
                    )
                    raise AppError(
                        f"Your keys can't be moved to the {_NAMES[place]}.",
                        f"{error.what} {error.why}".strip(),
                        f"{stay} {error.fix}".strip(),
                    ) from error
                for name in held:
                    with suppress(AppError):
                        before.delete(name)
            self._known.clear()
            self._asked.clear()

    def _held_by(self, place: SystemKeyring | SealedFile) -> dict[str, str]:
        """Every secret that the place has.

        Raises `AppError` where it gives only some of them, or is a locked file. A place that gives none is
        broken for good: the person may leave it, and has to set the keys again.
        """
        held: dict[str, str] = {}
        refused: AppError | None = None
        for name in self._names():
            try:
                if secret := place.read(name):
                    held[name] = secret
            except AppError as error:
                refused = error
        if refused and (held or (place is self._file and place.exists and place.is_locked)):
            raise refused
        return held

    def forget(self) -> None:
        """Ask anew for each secret: another process may have changed them."""
        with self._lock:
            self._known.clear()
            self._asked.clear()


def _may_be_secret(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable() and " " not in text
