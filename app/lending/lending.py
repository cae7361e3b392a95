"""Whether this process lends its model, and from whom it borrows one."""

import logging
import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.engine_state import EngineState
from app.engines import Engines
from app.lending.addresses import Addresses
from backends.protocol import LoadOptions, Session

if TYPE_CHECKING:
    from app.lending.host import LendingHost

_log = logging.getLogger(__name__)

_KEY_BYTES = 32
_PATIENCE_SECONDS = 60.0
"""How long a program that ends lets the answers of others be written to their end."""


class Borrowing:
    """Asks the other processes of this home. Loads no module for that as long as there are none."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def __call__(
        self,
        path: str,
        options: LoadOptions,
        given_up: Callable[[], bool],
        on_wait: Callable[[], None],
    ) -> Session | None:
        """As `app.engines.Borrow` has it."""
        for file, address in self._addresses.of_others():
            from app.lending.guest import HostGone, ask

            try:
                session = ask(address, path, options, given_up, on_wait)
            except HostGone:
                self._addresses.forget(file, address)
                continue
            if session is not None or given_up():
                return session
        return None


class Lending:
    """Lends what `engines` load, from the first load on. From any thread.

    A system that lets nobody listen is no error: others then load the model themselves.
    """

    def __init__(self, engines: Engines, addresses: Addresses) -> None:
        self._engines = engines
        self._addresses = addresses
        self._lock = threading.Lock()
        self._host: LendingHost | None = None
        self._is_over = False
        self._unsubscribe = engines.subscribe(self._note)

    @property
    def guests(self) -> int:
        """Other processes that are being answered by this one's model."""
        host = self._host
        return host.guests if host is not None else 0

    def close(self, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Lend no more. Waits for the guests that are being answered, but not for ever."""
        self._unsubscribe()
        with self._lock:
            self._is_over = True
            host, self._host = self._host, None
        self._addresses.withdraw()
        if host is not None:
            host.close(patience_seconds)

    def _note(self, state: EngineState) -> None:
        if state.phase == "loading" and not state.borrowed:
            self._begin()

    def _begin(self) -> None:
        from app.lending.host import LendingHost

        with self._lock:
            if self._host is not None or self._is_over:
                return
            try:
                key = secrets.token_bytes(_KEY_BYTES)
                host = LendingHost(self._engines, key)
                try:
                    self._addresses.publish(host.address, key)
                except OSError:
                    host.close(0)
                    raise
            except OSError as error:
                self._is_over = True
                _log.warning("the model is not lent to other processes: %s", error)
                return
            self._host = host
