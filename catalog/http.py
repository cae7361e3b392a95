"""HTTP for downloads: patient with servers, at once obedient to a cancel, and plain in its errors."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx2
import msgspec

from catalog.errors import DownloadCancelled, DownloadError

_USER_AGENT = "Causeway"
_CANCEL_POLL_SECONDS = 0.1
_PASSING_STATUSES = (408, 425, 429)
_LONGEST_PAUSE_SECONDS = 30.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a server, and how often to try again when nothing comes.

    The pause between tries doubles from `pause_seconds` on.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    attempts: int = 5
    pause_seconds: float = 0.5


class Interrupted(Exception):
    """A failure that may pass by itself; `pause_seconds` is what the server asked to wait."""

    def __init__(self, what: str, why: str = "", pause_seconds: float = 0.0) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.pause_seconds = pause_seconds


class HttpClient:
    """Makes GET requests. Use it in one thread, as a context manager.

    A thread of its own watches `cancelled` and shuts the connection down, since a read that waits
    for a silent server can't be woken otherwise. System certificates and the proxies of the
    environment are honoured.
    """

    def __init__(self, cancelled: threading.Event, patience: Patience) -> None:
        self._cancelled = cancelled
        self._client = _new_client(patience)
        self._connection: socket.socket | None = None
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._obey_cancel, name="download-cancel")

    def __enter__(self) -> "HttpClient":
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        self._watch.join()
        self._client.close()

    @contextlib.contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """The response to a GET, its body not read yet, for as long as the block lasts.

        Raises `Interrupted` for what may pass, `DownloadError` for what won't, and
        `DownloadCancelled`, also while the block reads. Status 404, 410 and 416 are left to the block.
        """
        host = host_of(url)
        self.check_cancelled()
        try:
            address, credentials = _without_credentials(url)
            with self._client.stream(
                "GET",
                address,
                headers=headers,
                auth=credentials,
                extensions={"trace": self._note_connection},
            ) as answer:
                _check_no_downgrade(answer)
                _check_status(answer)
                yield answer
        except httpx2.HTTPError as error:
            self.check_cancelled()
            raise _in_words(error, host) from error
        except (httpx2.InvalidURL, httpx2.CookieConflict) as error:
            raise DownloadError(f"The address of {host} is not valid.") from error
        self.check_cancelled()

    def check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise DownloadCancelled(
                "The download was cancelled.", fix="Start it again to go on from there."
            )

    def _note_connection(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._connection = info["return_value"].get_extra_info("socket")

    def _obey_cancel(self) -> None:
        while not self._done.wait(_CANCEL_POLL_SECONDS):
            if self._cancelled.is_set() and self._connection is not None:
                with contextlib.suppress(OSError):
                    # Not the method of an SSLSocket, which would also take its state away.
                    socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


class Retries:
    """Counts tries that brought nothing, and waits between them."""

    def __init__(self, cancelled: threading.Event, patience: Patience) -> None:
        self._cancelled = cancelled
        self._patience = patience
        self._failures = 0

    def reset(self) -> None:
        """There was progress: start counting anew."""
        self._failures = 0

    def wait_after(self, failure: Interrupted, fix: str) -> None:
        """Wait until the next try. Raises `DownloadError` where it was the last one."""
        self._failures += 1
        if self._failures >= self._patience.attempts:
            raise DownloadError(failure.what, failure.why, fix) from failure
        pause = self._patience.pause_seconds * 2 ** (self._failures - 1)
        self._cancelled.wait(min(max(pause, failure.pause_seconds), _LONGEST_PAUSE_SECONDS))


def host_of(url: str) -> str:
    """The host of an address, fit for a message: without name and password, path or query."""
    try:
        return httpx2.URL(url).host or "the server"
    except httpx2.InvalidURL:
        return "the server"


def _new_client(patience: Patience) -> httpx2.Client:
    try:
        return httpx2.Client(
            timeout=httpx2.Timeout(patience.read_seconds, connect=patience.connect_seconds),
            follow_redirects=True,
            headers={"User-Agent": _USER_AGENT},
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise DownloadError(
            "The proxy that this computer is set to use does not work here.",
            "Causeway can use HTTP proxies only.",
            "Set HTTPS_PROXY to one, or unset ALL_PROXY.",
        ) from error


def _without_credentials(url: str) -> tuple[httpx2.URL, httpx2.BasicAuth | None]:
    """Name and password apart from the address, which the HTTP library writes into logs."""
    address = httpx2.URL(url)
    if not address.userinfo:
        return address, None
    return address.copy_with(userinfo=b""), httpx2.BasicAuth(address.username, address.password)


def _check_no_downgrade(answer: httpx2.Response) -> None:
    hops = [hop.url.scheme for hop in (*answer.history, answer)]
    if hops[0] == "https" and "http" in hops:
        raise DownloadError(
            f"{answer.url.host} was refused.", "The connection was to go on without encryption."
        )


def _check_status(answer: httpx2.Response) -> None:
    status, host = answer.status_code, answer.url.host
    if answer.is_success or status in (404, 410, 416):
        return
    if status in (401, 403, 407):
        raise DownloadError(
            f"{host} refuses access (status {status}).",
            "It may want a name and a password, or block this network.",
            "Check the package index in the settings.",
        )
    if status in _PASSING_STATUSES or status >= 500:
        raise Interrupted(
            f"{host} can't answer now (status {status}).",
            pause_seconds=_seconds(answer.headers.get("Retry-After", "")),
        )
    raise DownloadError(f"{host} did not understand the request (status {status}).")


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdecimal() else 0.0


def _in_words(error: httpx2.HTTPError, host: str) -> Interrupted | DownloadError:
    causes = tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return DownloadError(
            f"{host} can't be trusted.",
            "Its certificate is not one that this computer accepts.",
            "Check the computer's clock, or add your network's certificate to the system.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Interrupted(f"There is no connection to {host}.", "Its name can't be looked up.")
    if isinstance(error, httpx2.ProxyError):
        return Interrupted(
            f"There is no connection to {host}.", "The proxy did not let it through."
        )
    if isinstance(error, httpx2.ConnectTimeout):
        return Interrupted(f"There is no connection to {host}.", "It does not answer.")
    if isinstance(error, httpx2.ConnectError):
        return Interrupted(f"There is no connection to {host}.", "It can't be reached.")
    if isinstance(error, httpx2.TimeoutException):
        return Interrupted(f"{host} stopped sending.")
    if isinstance(error, httpx2.TooManyRedirects):
        return DownloadError(f"{host} sends in circles.", "It redirected too many times.")
    if isinstance(error, httpx2.UnsupportedProtocol):
        return DownloadError(f"The address of {host} is not one of the web.")
    return Interrupted(f"The connection to {host} broke off.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
