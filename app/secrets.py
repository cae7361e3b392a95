"""Secrets, kept by the system's keyring and nowhere else. Asking it can take as long as a person
takes to unlock it, so not on the window's thread."""

import os
import threading
import time
from contextlib import suppress

from app.errors import AppError
from app.settings_file import SettingsFile

_SERVICE = "causeway"
_HUB = "hub-token"
_LONGEST = 1000
_ASK_AGAIN_SECONDS = 30.0  # after it could not be asked: it may be unlocked meanwhile
HUB_VARIABLE = "HF_TOKEN"
"""Read where no token has been set: servers and containers have no keyring."""


class Secrets:
    """The Hub token. The settings only know whether there is one, so that a keyring is not asked,
    which may ask the person in turn, before there is something in it."""

    def __init__(self, settings: SettingsFile) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._hub_token: str | None = None
        self._asked = -_ASK_AGAIN_SECONDS

    def hub_token(self) -> str:
        """The token that was set, else the environment's, else an empty text.

        A keyring that can't be asked counts as empty.
        """
        with self._lock:
            if not self._settings.current.has_hub_token:
                self._hub_token = None
                return os.environ.get(HUB_VARIABLE, "").strip()
            if self._hub_token is None and time.monotonic() - self._asked >= _ASK_AGAIN_SECONDS:
                self._asked = time.monotonic()
                with suppress(AppError):
                    self._hub_token = _read(_HUB)
            return self._hub_token or ""

    def set_hub_token(self, token: str) -> None:
        """Keep the token. Raises `AppError` where no keyring can."""
        cleaned = token.strip()
        if not cleaned or len(cleaned) > _LONGEST or not cleaned.isascii() or " " in cleaned:
            raise AppError("This is no token.", fix="Copy it whole, from the Hub's page of tokens.")
        with self._lock:
            _write(_HUB, cleaned)
            self._settings.update(has_hub_token=True)
            self._hub_token = cleaned

    def remove_hub_token(self) -> None:
        """Forget the token. Raises `AppError` where the keyring does not let go of it."""
        with self._lock:
            if self._settings.current.has_hub_token:
                _delete(_HUB)
            self._settings.update(has_hub_token=False)
            self._hub_token = None


def _read(name: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        _check_backend()
        return keyring.get_password(_SERVICE, name) or ""
    except (KeyringError, RuntimeError, OSError) as error:
        raise _no_keyring(error) from error


def _write(name: str, secret: str) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        _check_backend()
        keyring.set_password(_SERVICE, name, secret)
    except (KeyringError, RuntimeError, OSError) as error:
        raise _no_keyring(error) from error


def _delete(name: str) -> None:
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        keyring.delete_password(_SERVICE, name)
    except PasswordDeleteError:
        return  # it is gone already
    except (KeyringError, RuntimeError, OSError) as error:
        raise _no_keyring(error) from error


def _check_backend() -> None:
    """Some keyrings are plain files. A secret is not put into those."""
    import keyring

    if "plaintext" in type(keyring.get_keyring()).__name__.lower():
        raise RuntimeError("it would keep secrets in a plain file")


def _no_keyring(error: Exception) -> AppError:
    from keyring.errors import NoKeyringError

    if isinstance(error, NoKeyringError):  # its own words are for people who write programs
        return AppError(
            "This computer has no keyring that can be used.",
            "A token is kept nowhere else.",
            f"Set {HUB_VARIABLE} in the environment, or install a keyring of the system.",
        )
    reason = " ".join(str(error).split())[:200]
    return AppError(
        "The system's keyring can't be used.",
        f"It says: {reason}." if reason else "It gives no reason.",
        f"Unlock or install one, or set {HUB_VARIABLE} in the environment.",
    )
