"""A file of secrets that a passphrase seals, for computers without a keyring.

scrypt makes a key of the passphrase (RFC 7914; its cost is in the file), AES-256-GCM seals the secrets
with it and refuses a file that was changed.
"""

import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

import msgspec

from app.errors import AppError, StorageError
from app.shared_file import alone_with
from catalog.whole_file import write_whole

PASSPHRASE_VARIABLE = "CAUSEWAY_PASSPHRASE"
SHORTEST_PASSPHRASE = 8

_COST = 2**15
"""scrypt's N: with r = 8 it takes 32 MB and about a tenth of a second."""
_DEAREST = 2**20
"""What a file may ask for: 1 GB."""
_BLOCK, _PARALLEL, _KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 8, 1, 32, 16, 12
_LARGEST_FILE = 1_000_000


class _Sealed(msgspec.Struct, frozen=True, tag_field="format", tag="causeway-secrets-1"):
    cost: int
    salt: bytes
    nonce: bytes
    sealed: bytes


class SealedFile:
    """Secrets by name. Locked until the passphrase was given, here or in the environment.

    May be used from any thread and beside other processes. The passphrase itself is not kept, the key
    that is made of it only in memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._key: tuple[int, bytes, bytes] | None = None  # cost, salt, key

    @property
    def exists(self) -> bool:
        return self._path.is_file()

    @property
    def is_locked(self) -> bool:
        return self._key is None and not os.environ.get(PASSPHRASE_VARIABLE)

    def open(self, passphrase: str) -> None:
        """Unlock it; where there is none yet, make one. Raises `AppError` for a wrong passphrase."""
        with self._lock, alone_with(self._path):
            self._open(passphrase)

    def lock(self) -> None:
        """Forget the key."""
        with self._lock:
            self._key = None

    def discard(self) -> None:
        """Delete the file, and forget its key."""
        with self._lock, alone_with(self._path), suppress(OSError):
            self._key = None
            self._path.unlink(missing_ok=True)

    def read(self, name: str) -> str:
        """The secret, or an empty text. Raises `AppError` while it is locked."""
        with self._lock:
            return self._secrets().get(name, "")

    def write(self, name: str, secret: str) -> None:
        with self._lock, alone_with(self._path):
            self._store({**self._secrets(), name: secret})

    def delete(self, name: str) -> None:
        with self._lock, alone_with(self._path):
            kept = self._secrets()
            if kept.pop(name, None) is not None:
                self._store(kept)

    def _open(self, passphrase: str) -> None:
        if not self._path.exists():
            if len(passphrase) < SHORTEST_PASSPHRASE:
                raise AppError(
                    "This passphrase is too short.",
                    f"It is all that protects your keys: {SHORTEST_PASSPHRASE} characters at least.",
                )
            salt = secrets.token_bytes(_SALT_BYTES)
            self._key = (_COST, salt, _derive(passphrase, salt, _COST))
            self._store({})
            return
        held = self._read_file()
        key = _derive(passphrase, held.salt, held.cost)
        _unseal(held, key)
        self._key = (held.cost, held.salt, key)

    def _secrets(self) -> dict[str, str]:
        if self._key is None:
            passphrase = os.environ.get(PASSPHRASE_VARIABLE, "")
            if not passphrase:
                raise AppError(
                    "The file with your keys is locked.",
                    "It is sealed with your passphrase.",
                    f"Unlock it in the settings, or give the passphrase in {PASSPHRASE_VARIABLE}.",
                )
            self._open(passphrase)
        assert self._key is not None
        held = self._read_file()
        if (held.cost, held.salt) != self._key[:2]:
            self._key = None  # another process made it anew, with another passphrase
            raise AppError("The file with your keys was replaced.", fix="Unlock it again.")
        return _unseal(held, self._key[2])

    def _read_file(self) -> _Sealed:
        try:
            with self._path.open("rb") as file:
                held = msgspec.msgpack.decode(file.read(_LARGEST_FILE), type=_Sealed)
        except OSError as error:
            raise StorageError(
                f"The file with your keys can't be read: {self._path}.",
                f"{error.strerror or error}.",
            ) from error
        except (ValueError, RecursionError) as error:
            raise _damaged(self._path) from error
        if not (1 < held.cost <= _DEAREST and len(held.nonce) == _NONCE_BYTES):
            raise _damaged(self._path)
        return held

    def _store(self, kept: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        assert self._key is not None
        cost, salt, key = self._key
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, msgspec.json.encode(kept), None)
        content = msgspec.msgpack.encode(_Sealed(cost, salt, nonce, sealed))
        try:
            write_whole(self._path, content, durable=True)
        except OSError as error:
            raise StorageError(
                f"The file with your keys can't be written: {self._path}.",
                f"{error.strerror or error}.",
            ) from error


def _derive(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.exceptions import InternalError
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    try:
        kdf = Scrypt(salt=salt, length=_KEY_BYTES, n=cost, r=_BLOCK, p=_PARALLEL)
        return kdf.derive(passphrase.encode("utf-8", "replace"))
    except (ValueError, MemoryError, InternalError) as error:
        raise AppError("The file with your keys is damaged.", "Its cost can't be paid.") from error


def _unseal(held: _Sealed, key: bytes) -> dict[str, str]:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(key).decrypt(held.nonce, held.sealed, None)
        return msgspec.json.decode(plain, type=dict[str, str])
    except (InvalidTag, msgspec.MsgspecError) as error:
        raise AppError(
            "The file with your keys can't be opened.",
            "The passphrase is wrong, or the file was changed.",
            "Try again. Without the passphrase the keys are lost: remove the file and set them anew.",
        ) from error


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"The file with your keys is damaged: {path}.", fix="Remove it, and set the keys anew."
    )
