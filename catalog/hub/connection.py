"""The Hub client's way out: huggingface_hub, with our time-outs, bounds, proxy and manners.

Nothing but this package imports it, and only when it is used: that takes a moment.
"""

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"  # the token is the one of our settings

import httpx2
import msgspec
from huggingface_hub import (
    get_hf_file_metadata,
    get_session,
    hf_hub_url,
    hf_raise_for_status,
    set_client_factory,
)
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import HfFileMetadata

from catalog.catalogues.entries import HubFile
from catalog.errors import DownloadError
from catalog.hub.bounds import Bounds
from catalog.hub.endpoint import THE_HUB, checked_token, endpoint_of, new_client
from catalog.hub.errors import HubError, PauseAsked
from catalog.hub.failures import (
    Subject,
    offline,
    refused,
    too_slow,
    unreachable,
    unreadable,
)
from catalog.network import Network
from catalog.retries import Interrupted, Retries

_T = TypeVar("_T")

_LIBRARY = "Causeway"
_POLL_SECONDS = 0.1
# Left out of what the library sees: the first two would outlast the request, the third starts a
# protocol that can't be cancelled.
_IGNORED_HEADERS = ("set-cookie", "x-hf-warning", "x-xet-hash")


class Connection:
    """Requests to the Hub or a mirror of it, in one thread, for as long as its `with` block lasts.

    Raises `HubError` at once where the settings rule it out. The token goes to the endpoint's origin
    alone, on redirects too; nothing goes unencrypted that began encrypted. A `patient` one waits
    where the server asks for a pause, and asks again. Soon after `cancelled` is set, what is under way is
    broken off.
    """

    def __init__(
        self,
        network: Network,
        bounds: Bounds,
        *,
        token: str | None = None,
        patient: bool = True,
        cancelled: threading.Event | None = None,
    ) -> None:
        if network.offline:
            raise offline()
        self.endpoint = endpoint_of(network)
        self._origin = httpx2.URL(self.endpoint).origin
        self._token = checked_token(network.hub_token if token is None else token)
        self._bounds = bounds
        self._answer_bytes = bounds.answer_bytes
        self._client = new_client(network)
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._hung_up = threading.Event()
        self._is_late = False
        self._cancelled = cancelled or threading.Event()
        self._done = threading.Event()
        self._deadline = math.inf
        self._watch = threading.Thread(target=self._keep_time, name="hub-time-out", daemon=True)
        self._retries = Retries(self._hung_up, bounds.patience) if patient else None
        self._entered: Token[Connection | None] | None = None

    def __enter__(self) -> "Connection":
        with _factory_lock:
            if not isinstance(get_session(), _Client):
                set_client_factory(_Client)
        self._entered = _current.set(self)
        self._begin_time()
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered is not None:
            _current.reset(self._entered)
        self._done.set()
        self._watch.join()
        self._client.close()

    @property
    def has_token(self) -> bool:
        return bool(self._token)

    def subject(self, *, repo: str = "", revision: str = "", path: str = "") -> Subject:
        """What is asked about, for the words of an error."""
        url = httpx2.URL(self.endpoint)
        return Subject(
            page=str(url.copy_with(userinfo=b"")).rstrip("/") + (f"/{repo}" if repo else ""),
            host="" if self.endpoint == THE_HUB else url.host,
            repo=repo,
            revision=revision,
            path=path,
            has_token=self.has_token,
        )

    def authorization(self, url: str) -> str:
        """The header that the address may be given."""
        there = httpx2.URL(url)
        return f"Bearer {self._token}" if self._token and there.origin == self._origin else ""

    def json(
        self,
        path: str,
        subject: Subject,
        params: Mapping[str, str | Sequence[str]] | str | None = None,
    ) -> tuple[object, str]:
        """The answer of the API, and the address of the next page, empty where there is none."""

        def ask() -> tuple[object, str]:
            answer = get_session().get(
                self.endpoint + path,
                params=_query(params),
                headers=self._headers(),
                timeout=self._bounds.read_seconds,
            )
            hf_raise_for_status(answer)
            try:
                said = msgspec.json.decode(answer.content)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                raise unreadable(subject) from error
            return said, str(answer.links.get("next", {}).get("url", ""))

        return self._asked(subject, ask)

    def text(self, file: HubFile, most_bytes: int) -> bytes:
        """The bytes of a small file."""
        subject = self.subject(repo=file.repo, revision=file.revision, path=file.path)

        def ask() -> bytes:
            answer = get_session().get(self.address(file), headers=self._headers())
            hf_raise_for_status(answer)
            return answer.content

        self._answer_bytes = most_bytes
        try:
            return self._asked(subject, ask)
        finally:
            self._answer_bytes = self._bounds.answer_bytes

    def head(self, file: HubFile) -> HfFileMetadata:
        """What the Hub says of a file without sending it.

        A mirror may know nothing but where the file lies: then what is said there.
        """
        subject = self.subject(repo=file.repo, revision=file.revision, path=file.path)
        address = self.address(file)

        def ask() -> HfFileMetadata:
            said = self._head(address)
            is_known = said.commit_hash or said.etag
            return said if is_known or said.location == address else self._head(said.location)

        return self._asked(subject, ask)

    def _head(self, address: str) -> HfFileMetadata:
        return get_hf_file_metadata(
            address, token=self._token or False, library_name=_LIBRARY, endpoint=self.endpoint
        )

    def address(self, file: HubFile) -> str:
        return hf_hub_url(file.repo, file.path, revision=file.revision, endpoint=self.endpoint)

    def hang_up(self) -> None:
        """Break off what is under way, from any thread. The connection is of no use afterwards."""
        with self._lock:
            self._hung_up.set()
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    # Not the method of an SSLSocket, which would also take its state away.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    def pass_on(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request of the library's, made safe; the answer comes without a body on a refusal."""
        if httpx2.URL(self.endpoint).scheme == "https" and request.url.scheme != "https":
            raise HubError(
                f"{request.url.host} was refused.",
                "The connection was to go on without encryption.",
                "Check the Hub address in the settings.",
            )
        if request.url.origin != self._origin:
            request.headers.pop("Authorization", None)
        request.headers["Accept-Encoding"] = "identity"  # the bound is on what is read
        bounds = self._bounds
        wait = httpx2.Timeout(bounds.read_seconds, connect=bounds.connect_seconds)
        request.extensions = {"timeout": wait.as_dict(), "trace": self._note_connection}
        if self._hung_up.is_set():
            raise httpx2.ReadError("hung up")
        answer = self._client.send(request, stream=True, follow_redirects=False)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            answer.close()
            raise unreadable(self.subject())
        headers = [
            (name, value)
            for name, value in answer.headers.multi_items()
            if name.lower() not in _IGNORED_HEADERS
        ]
        if request.method == "HEAD" or not answer.is_success:
            # Without its body: the library would take that of an error for JSON of its own making.
            answer.close()
            return httpx2.Response(answer.status_code, headers=headers, request=request)
        body = _BoundedBody(answer, self._answer_bytes, self._too_much)
        return httpx2.Response(answer.status_code, headers=headers, stream=body, request=request)

    def _asked(self, subject: Subject, ask: Callable[[], _T]) -> _T:
        """What the server answers, asked again after each pause that it wants."""
        while True:
            try:
                with self._in_words(subject):
                    return ask()
            except PauseAsked as error:
                if self._retries is None:
                    raise
                self._wait(self._retries, error)

    def _wait(self, retries: Retries, error: PauseAsked) -> None:
        """Wait as long as the server asks. Raises `error` where that is too long, or too often."""
        self._deadline = math.inf
        try:
            retries.wait_after(Interrupted(error.what, error.why, error.pause_seconds), error.fix)
        except DownloadError:
            raise error from None
        self._begin_time()

    def _begin_time(self) -> None:
        self._deadline = time.monotonic() + self._bounds.whole_seconds

    def _keep_time(self) -> None:
        """Hang up when the time is over, or the question is cancelled."""
        while not self._done.wait(_POLL_SECONDS):
            self._is_late = time.monotonic() > self._deadline
            if self._is_late or self._cancelled.is_set():
                self.hang_up()
                return

    def _too_much(self) -> HubError:
        subject = self.subject()
        return HubError(
            f"What {subject.host or 'the Hub'} sends has no end.",
            "It was broken off.",
            "Check the Hub address in the settings.",
        )

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": _LIBRARY}
        return headers | ({"Authorization": f"Bearer {self._token}"} if self._token else {})

    def _note_connection(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._lock:
                self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self._hung_up.is_set():
                self.hang_up()

    @contextlib.contextmanager
    def _in_words(self, subject: Subject) -> Iterator[None]:
        try:
            yield
        except HubError as error:
            if self._is_late:
                raise too_slow(subject, self._bounds.whole_seconds) from error
            raise
        except HfHubHTTPError as error:
            raise refused(error, subject) from error
        except httpx2.HTTPError as error:
            if self._is_late:
                raise too_slow(subject, self._bounds.whole_seconds) from error
            raise unreachable(error, subject, self._bounds.read_seconds) from error
        except (httpx2.InvalidURL, httpx2.CookieConflict, UnicodeError) as error:
            raise unreadable(subject) from error
        if self._is_late:  # an answer without a length just seems to end
            raise too_slow(subject, self._bounds.whole_seconds)


_factory_lock = threading.Lock()
_current: ContextVar[Connection | None] = ContextVar("hub_connection", default=None)


class _Client(httpx2.Client):
    """The one client of the library, for all threads: it hands each request to its `Connection`.

    So that settings count at once, and a request of one thread can be ended without the others'.
    """

    def __init__(self) -> None:
        super().__init__(transport=_ToConnection(), follow_redirects=True)


class _ToConnection(httpx2.BaseTransport):
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        connection = _current.get()
        if connection is None:
            raise RuntimeError("huggingface_hub is used outside of catalog.hub")
        return connection.pass_on(request)


class _BoundedBody(httpx2.SyncByteStream):
    """The body of an answer, as long as it is not too long."""

    def __init__(
        self,
        answer: httpx2.Response,
        most_bytes: int,
        too_much: Callable[[], HubError],
    ) -> None:
        self._answer = answer
        self._most_bytes = most_bytes
        self._too_much = too_much

    def __iter__(self) -> Iterator[bytes]:
        length = self._answer.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self._most_bytes:
            raise self._too_much()
        seen = 0
        for chunk in self._answer.iter_raw():
            seen += len(chunk)
            if seen > self._most_bytes:
                raise self._too_much()
            yield chunk

    def close(self) -> None:
        self._answer.close()


def _query(params: Mapping[str, str | Sequence[str]] | str | None) -> Any:
    return httpx2.QueryParams(params) if params else None


def api_path(repo: str, *parts: str) -> str:
    """The API's path of a repository."""
    return "/".join(["/api/models", quote(repo), *(quote(part, safe="") for part in parts)])
