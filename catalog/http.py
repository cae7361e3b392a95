"""HTTP for downloads: patient with servers, at once obedient to a cancel, and plain in its errors."""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx2

from catalog.addresses import LOOPBACK
from catalog.errors import DownloadCancelled, DownloadError
from catalog.network import Network
from catalog.retries import Interrupted, Patience, Retries, asked_pause

_USER_AGENT = "Causeway"
_CANCEL_POLL_SECONDS = 0.1
_PASSING_STATUSES = (408, 425, 429)
_MAX_REDIRECTS = 10
_NEXT_TRY = "Start it again to go on from there."

# It writes every address into the log, signatures and all; a big file takes a thousand.
logging.getLogger("httpx2").setLevel(logging.WARNING)

__all__ = [
    "HttpClient",
    "Interrupted",
    "Offline",
    "Patience",
    "Refused",
    "Retries",
    "bounded_body",
    "host_of",
    "is_same_origin",
]


class Offline(DownloadError):
    """The person has switched the network off in the settings."""

    def __init__(self) -> None:
        super().__init__(
            "Causeway is set to stay offline.",
            "Nothing is fetched while that is so.",
            "Switch “Stay offline” off in the settings.",
        )


class Refused(DownloadError):
    """The server refuses access: the address may have expired, or it wants an account."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__(
            f"{host} refuses access (status {status}).",
            "It may want a name and a password, or block this network.",
            "Check the address, or try again from another network.",
        )
        self.status = status


class HttpClient:
    """Makes GET and HEAD requests, from any threads. Use it as a context manager.

    A thread of its own watches `cancelled` and shuts the connections down, since a read that waits
    for a silent server can't be woken otherwise. System certificates are honoured, and the proxies
    of the environment where `network` names none.
    """

    def __init__(
        self, cancelled: threading.Event, patience: Patience, network: Network | None = None
    ) -> None:
        self._cancelled = cancelled
        self._network = network or Network()
        self._client = _new_client(patience, self._network)
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
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
    def get(
        self, url: str, headers: Mapping[str, str], *, method: str = "GET"
    ) -> Iterator[httpx2.Response]:
        """The response to a GET, its body not read yet, for as long as the block lasts.

        An `Authorization` among `headers` goes to the origin of `url`, and on a redirect to no
        other. Raises `Interrupted` for what may pass, `DownloadError` for what won't (`Refused`,
        `Offline`), and `DownloadCancelled`, also while the block reads. Status 304, 404, 410 and
        416 are left to the block, and 405 to a HEAD.
        """
        host = host_of(url)
        self.check_cancelled()
        if self._network.offline:
            raise Offline
        try:
            try:
                answer = self._follow(url, headers, method)
            except UnicodeError as error:  # of a host that no name server would take
                raise _invalid(host) from error
            try:
                _check_status(answer)
                yield answer
            finally:
                answer.close()
        except httpx2.HTTPError as error:
            self.check_cancelled()
            raise _in_words(error, host) from error
        except (httpx2.InvalidURL, httpx2.CookieConflict) as error:
            raise _invalid(host) from error
        self.check_cancelled()

    def _follow(self, url: str, headers: Mapping[str, str], method: str) -> httpx2.Response:
        """The answer at the end of all redirects.

        They are followed here, since the library would read the body of each to its end, and would
        keep the authorization on some that lead to another origin.
        """
        address, credentials = _without_credentials(url)
        passed = dict(headers)
        for _ in range(_MAX_REDIRECTS):
            request = self._client.build_request(
                method, address, headers=passed, extensions={"trace": self._note_connection}
            )
            answer = self._client.send(request, auth=credentials, stream=True)
            if not answer.has_redirect_location:
                return answer
            answer.close()
            self.check_cancelled()
            there, named = _without_credentials(str(address.join(answer.headers["Location"])))
            if there.scheme not in ("http", "https"):
                raise DownloadError(f"{address.host} sends on to what is no address of the web.")
            is_elsewhere = there.host != address.host and there.host not in LOOPBACK
            if there.scheme == "http" and (address.scheme == "https" or is_elsewhere):
                raise DownloadError(
                    f"{address.host} was refused.",
                    "The connection was to go on without encryption.",
                )
            if there.origin != address.origin:
                passed = {
                    name: value for name, value in passed.items() if name.lower() != "authorization"
                }
                credentials = None
            address, credentials = there, named or credentials
        raise DownloadError(f"{host_of(url)} sends in circles.", "It redirected too many times.")

    def head(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        """The response to a HEAD; raises as `get` does."""
        with self.get(url, headers, method="HEAD") as answer:
            return answer

    def hang_up(self) -> None:
        """Break off every request, from any thread. The client is of no use afterwards."""
        with self._lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    # Not the method of an SSLSocket, which would also take its state away.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise DownloadCancelled("The download was cancelled.", fix=_NEXT_TRY)

    def _note_connection(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._lock:
                self._sockets = {each for each in self._sockets if each.fileno() >= 0}
                self._sockets.add(info["return_value"].get_extra_info("socket"))

    def _obey_cancel(self) -> None:
        while not self._done.wait(_CANCEL_POLL_SECONDS):
            if self._cancelled.is_set():
                self.hang_up()


def bounded_body(answer: httpx2.Response, limit: int) -> bytes:
    """The body of an answer, decoded. Raises `DownloadError` where it is above `limit` bytes."""
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > limit:
            raise DownloadError(
                f"What {answer.url.host} sends has no end.",
                f"At most {limit // 10**6:,} MB were expected.",
            )
    return bytes(body)


def host_of(url: str) -> str:
    """The host of an address, fit for a message: without name and password, path or query."""
    try:
        return httpx2.URL(url).host or "the server"
    except httpx2.InvalidURL:
        return "the server"


def _invalid(host: str) -> DownloadError:
    return DownloadError(
        f"The address of {host[:100]} is not valid.",
        fix="Check it, and the proxy in the settings.",
    )


def is_same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of one scheme, host and port."""
    return httpx2.URL(one).origin == httpx2.URL(other).origin


def _new_client(patience: Patience, network: Network) -> httpx2.Client:
    try:
        return httpx2.Client(
            timeout=httpx2.Timeout(patience.read_seconds, connect=patience.connect_seconds),
            follow_redirects=False,
            headers={"User-Agent": _USER_AGENT},
            proxy=network.proxy or None,
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        fix = "Set HTTPS_PROXY to one, or unset ALL_PROXY."
        raise DownloadError(
            "The proxy that this computer is set to use does not work here.",
            "Causeway can use HTTP proxies only.",
            "Correct it in the settings: it begins with http://." if network.proxy else fix,
        ) from error


def _without_credentials(url: str) -> tuple[httpx2.URL, httpx2.BasicAuth | None]:
    """Name and password apart from the address, which the HTTP library writes into logs."""
    address = httpx2.URL(url)
    if not address.userinfo:
        return address, None
    return address.copy_with(userinfo=b""), httpx2.BasicAuth(address.username, address.password)


def _check_status(answer: httpx2.Response) -> None:
    status, host = answer.status_code, answer.url.host
    if answer.is_success or status in (304, 404, 410, 416):
        return
    if status in (405, 501) and answer.request.method == "HEAD":
        return
    if status in (401, 403, 407):
        raise Refused(host, status)
    if status in _PASSING_STATUSES or status >= 500:
        raise Interrupted(
            f"{host} can't answer now (status {status}).", pause_seconds=asked_pause(answer.headers)
        )
    raise DownloadError(f"{host} did not understand the request (status {status}).")


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
    if isinstance(error, httpx2.UnsupportedProtocol):
        return DownloadError(f"The address of {host} is no address of the web.")
    return Interrupted(f"The connection to {host} broke off.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
