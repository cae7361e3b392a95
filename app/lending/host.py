"""The side that lends: what this process has loaded answers the others of its home, too."""

import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Client, Listener
from pathlib import Path

from app.engines import Engines
from app.lending.loan import Loan

_MOST_LOANS = 64
_MOST_WAITING = 16
_LONGEST_PATH = 100
"""Bytes of a socket's path; macOS takes 104, its end included."""

_JOIN_SECONDS = 3.0
_TRY_AGAIN_SECONDS = 0.1


class LendingHost:
    """Listens on a socket of this user, or a named pipe, and serves each guest through `engines`.

    Everything runs on threads of its own, which `close` ends.
    """

    def __init__(self, engines: Engines, key: bytes) -> None:
        """Serve whoever proves the key, from now on. Raises OSError."""
        self._engines = engines
        self._key = key
        self._folder: Path | None = None
        if sys.platform == "win32":
            self._listener = Listener(None, "AF_PIPE", backlog=_MOST_WAITING)
        else:
            self._folder = Path(tempfile.mkdtemp(prefix="causeway-"))
            try:
                path = self._folder / "engine"
                if len(os.fsencode(path)) > _LONGEST_PATH:
                    raise OSError(f"{path} is too long for a socket")
                self._listener = Listener(str(path), "AF_UNIX", backlog=_MOST_WAITING)
            except OSError:
                shutil.rmtree(self._folder, ignore_errors=True)
                raise
        self._loans: list[Loan] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="lending", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return str(self._listener.address)

    @property
    def guests(self) -> int:
        """Requests of other processes that are being served."""
        with self._lock:
            return sum(loan.is_lent for loan in self._loans)

    def close(self, patience_seconds: float) -> None:
        """Let nobody in any more, and end everything: once the guests have left, or patience ends."""
        self._closing.set()
        with suppress(OSError, EOFError):
            Client(self.address).close()  # wakes the thread that waits for one
        self._thread.join()
        self._listener.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        ends = time.monotonic() + patience_seconds
        try:
            for loan in self._loans:
                while loan.is_lent and time.monotonic() < ends:
                    loan.join(_TRY_AGAIN_SECONDS)
        finally:
            for loan in self._loans:
                loan.hang_up()
            for loan in self._loans:
                loan.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                if self._closing.wait(_TRY_AGAIN_SECONDS):
                    return
                continue
            if self._closing.is_set():
                connection.close()
                return
            with self._lock:
                self._loans = [loan for loan in self._loans if not loan.ended]
                if len(self._loans) >= _MOST_LOANS:
                    connection.close()
                    continue
                loan = Loan(self._engines, connection, self._key, self._closing)
                self._loans.append(loan)
            loan.start()
