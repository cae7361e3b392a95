"""Where a source's file is to be had just now."""

import threading
from collections.abc import Callable

import msgspec

from catalog.http import is_same_origin
from catalog.hub.errors import HubError
from catalog.remote_file import RemoteFile
from catalog.retries import Interrupted

_FRUITLESS_LOOKUPS = 2


class Locator(msgspec.Struct, frozen=True, kw_only=True):
    """Finds a source's file, again where its address expires.

    `locate` raises a `CatalogError` where it can't. `name` is what the sidecar calls the source: no
    credentials, no signature. `can_expire` says whether asking again can give another address.
    """

    locate: Callable[[], RemoteFile]
    name: Callable[[RemoteFile], str]
    can_expire: bool


class Whereabouts:
    """Remembers where the file was found, past all redirects, until that fails. Thread-safe."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._lock = threading.Lock()
        self._remote: RemoteFile | None = None
        self._direct = ""
        self._lookups = 0

    def remote(self) -> RemoteFile:
        """What the source says of the file; asks it the first time, and after `forget`.

        Raises what `locate` raises, or `Interrupted` where that may pass by itself.
        """
        with self._lock:
            if self._remote is None:
                try:
                    self._remote = self._locator.locate()
                except HubError as error:
                    if not error.may_pass:
                        raise
                    raise Interrupted(error.what, error.why, error.pause_seconds) from error
            return self._remote

    def address(self) -> tuple[str, str]:
        """The address to ask, and the authorization that goes along: to the source's own origin only."""
        remote = self.remote()
        with self._lock:
            url = self._direct or remote.url
        goes_along = url == remote.url or is_same_origin(url, remote.url)
        return url, remote.authorization if goes_along else ""

    def note_answer(self, url: str) -> None:
        """The file came from there, in the end."""
        with self._lock:
            self._lookups = 0
            if self._remote is not None and url != self._remote.url:
                self._direct = url

    def note_refusal(self, url: str) -> bool:
        """Access was refused at this address. Whether it is worth asking for another one."""
        with self._lock:
            if url != (self._direct or (self._remote.url if self._remote else "")):
                return True  # there is a newer one already
            self._lookups += 1
            is_worth_it = self._locator.can_expire or bool(self._direct)
            self._forget()
            return is_worth_it and self._lookups <= _FRUITLESS_LOOKUPS

    def forget(self) -> None:
        """Ask the source again the next time."""
        with self._lock:
            self._forget()

    def take_the_long_way(self) -> None:
        """Go through the redirects again the next time."""
        with self._lock:
            self._direct = ""

    def _forget(self) -> None:
        self._direct = ""
        if self._locator.can_expire:
            self._remote = None
