"""A connection between two processes of one person: msgpack messages, after both have proved
that they can read the same key.
"""

import hmac
import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

import msgspec

MAX_MESSAGE_BYTES = 64 * 2**20
_NONCE_BYTES = 32
_PROOF_BYTES = 32
_GREETING_SECONDS = 3.0

TALK_ENDS = (EOFError, OSError, ValueError, msgspec.MsgspecError)
"""What sending and receiving raise when the other side is gone, or says what is no message."""

Incoming = TypeVar("Incoming")


class WrongKey(ValueError):
    """The other side can't read our key."""


class TooLarge(ValueError):
    """A message that the other side would not take."""


class Talk(Generic[Incoming]):
    """Sends from any thread, receives on one, which also closes it."""

    def __init__(self, connection: Connection, incoming: type[Incoming]) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._ending = threading.Lock()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(incoming).decode

    def send(self, message: object) -> None:
        """Raises one of `TALK_ENDS`, of which `TooLarge` sends nothing."""
        data = self._encode(message)
        if len(data) > MAX_MESSAGE_BYTES:
            raise TooLarge(f"a message of {len(data)} bytes")
        with self._sending:
            self._connection.send_bytes(data)

    def receive(self) -> Incoming:
        """The next message. Raises one of `TALK_ENDS`."""
        return self._decode(self._connection.recv_bytes(MAX_MESSAGE_BYTES))

    def has_news(self, seconds: float) -> bool:
        """Whether `receive` would return or raise at once, waiting so long for it at most."""
        return self._connection.poll(seconds)

    def greet_host(self, key: bytes) -> None:
        """Raises `WrongKey`, and one of `TALK_ENDS` where the host says nothing for seconds."""
        with self._no_longer_than(_GREETING_SECONDS):
            theirs = self._read_exactly(_NONCE_BYTES)
            ours = secrets.token_bytes(_NONCE_BYTES)
            self._connection.send_bytes(ours + _proof(key, b"guest", theirs, ours))
            _check(self._read_exactly(_PROOF_BYTES), _proof(key, b"host", ours, theirs))

    def greet_guest(self, key: bytes) -> None:
        """Raises `WrongKey`, and one of `TALK_ENDS` where the guest says nothing for seconds."""
        with self._no_longer_than(_GREETING_SECONDS):
            ours = secrets.token_bytes(_NONCE_BYTES)
            self._connection.send_bytes(ours)
            answer = self._read_exactly(_NONCE_BYTES + _PROOF_BYTES)
            theirs, proof = answer[:_NONCE_BYTES], answer[_NONCE_BYTES:]
            _check(proof, _proof(key, b"guest", ours, theirs))
            self._connection.send_bytes(_proof(key, b"host", theirs, ours))

    def hang_up(self) -> None:
        """End it from any thread: who sends or receives, on either side, is woken."""
        with self._ending, suppress(OSError):
            if sys.platform == "win32":
                self._connection.close()
            else:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                    same.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """When nobody sends or receives here any more."""
        with self._ending:
            self._connection.close()

    def _read_exactly(self, count: int) -> bytes:
        data = self._connection.recv_bytes(count)
        if len(data) != count:
            raise WrongKey
        return data

    @contextmanager
    def _no_longer_than(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self.hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _proof(key: bytes, side: bytes, *nonces: bytes) -> bytes:
    return hmac.digest(key, b"".join((side, *nonces)), "sha256")


def _check(proof: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(proof, expected):
        raise WrongKey
