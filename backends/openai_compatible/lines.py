"""Connections to one service, each used by one request at a time and kept for the next."""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from backends.errors import Unreachable
from backends.openai_compatible.addresses import is_loopback
from backends.openai_compatible.quoting import quoted

_USER_AGENT = "Causeway"
_IDLE_SECONDS = 30.0
_MOST_IDLE = 8
_MAX_REDIRECTS = 3

# They write addresses and headers into the log.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class Lines:
    """Gives out connections to where `url` leads. To this computer no proxy is used."""

    def __init__(self, url: str, name: str, proxy: Callable[[], str]) -> None:
        """`proxy` is asked for each new connection; an empty text leaves it to the environment."""
        self._direct = is_loopback(url)
        self._encrypted = url.startswith("https:")
        self._name = name
        self._proxy = proxy
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        self._closed = False
        self._context: ssl.SSLContext | None = None

    def take(self) -> "Line":
        """Raises Unreachable where the proxy is of no use."""
        proxy = "" if self._direct else self._proxy()
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                return Line(self._new_client(proxy), proxy)
            if line.proxy == proxy:
                return line
            line.close()

    def give_back(self, line: "Line", *, usable: bool) -> None:
        with self._lock:
            if usable and not self._closed and len(self._idle) < _MOST_IDLE:
                line.kept = True
                self._idle.append(line)
                return
        line.close()

    def close(self) -> None:
        """Closes what is idle; what is in use is closed when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _new_client(self, proxy: str) -> httpx2.Client:
        try:
            return httpx2.Client(
                verify=self._certificates(),
                trust_env=not self._direct,
                proxy=proxy or None,
                follow_redirects=False,
                limits=httpx2.Limits(max_connections=1, keepalive_expiry=_IDLE_SECONDS),
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
            )
        except (ImportError, ValueError, httpx2.InvalidURL):
            fix = "Set HTTPS_PROXY to one, or unset ALL_PROXY."
            raise Unreachable(
                f"There is no connection to {self._name}.",
                "The proxy that this computer is set to use does not work here: only HTTP proxies do.",
                "Correct it in the settings: it begins with http://." if proxy else fix,
            ) from None

    def _certificates(self) -> ssl.SSLContext:
        """Reading the system's takes 20 ms, so that it is done once, and only for https."""
        with self._lock:
            if self._context is None:
                trusting_none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                self._context = httpx2.create_ssl_context() if self._encrypted else trusting_none
            return self._context


class Line:
    """A connection that is made by the first request, and again where it has ended meanwhile.

    `hang_up` ends what is read on it, from any thread, also while it is being made.

    Attributes:
        kept: An earlier request used it.
    """

    def __init__(self, client: httpx2.Client, proxy: str) -> None:
        self.proxy = proxy
        self.kept = False
        self._client = client
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._hung_up = False

    @contextlib.contextmanager
    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: httpx2.Timeout,
    ) -> Iterator[httpx2.Response]:
        """The answer, its body not read yet. Redirects are followed within the origin alone.

        Raises httpx2's errors, and Unreachable for a redirect to elsewhere: neither the key nor
        what a person wrote is sent there.
        """
        address = httpx2.URL(url)
        for _ in range(_MAX_REDIRECTS + 1):
            request = self._client.build_request(
                method,
                address,
                headers=headers,
                content=body,
                timeout=timeout,
                extensions={"trace": self._note_connection},
            )
            answer = self._client.send(request, stream=True)
            try:
                if not answer.has_redirect_location:
                    yield answer
                    return
                address = _next_address(address, answer, method, _key_in(headers))
            finally:
                answer.close()
        raise Unreachable(
            f"{address.host} sends in circles.",
            "It redirected too many times.",
            "Check the address under Services.",
        )

    def hang_up(self) -> None:
        """The line is of no use afterwards."""
        with self._lock:
            self._hung_up = True
            self._shut_down()

    def close(self) -> None:
        self._client.close()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _note_connection(self, event: str, info: Mapping[str, Any]) -> None:
        if not event.endswith("connect_tcp.complete"):
            return
        # A handle of its own: it stays valid when the encryption takes the socket over.
        handle = info["return_value"].get_extra_info("socket").dup()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = handle
            if self._hung_up:
                self._shut_down()

    def _shut_down(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


def _key_in(headers: Mapping[str, str]) -> str:
    return headers.get("Authorization", "").removeprefix("Bearer ")


def _next_address(
    address: httpx2.URL, answer: httpx2.Response, method: str, key: str
) -> httpx2.URL:
    there = address.join(answer.headers["Location"])
    if there.origin != address.origin:
        raise Unreachable(
            f"{address.host} sends on to {quoted(there.host, key) or 'somewhere else'}.",
            "The key and the chat were not sent there.",
            "If you trust that address, set it under Services instead.",
        )
    if method != "GET" and answer.status_code not in (307, 308):
        raise Unreachable(
            f"{address.host} sends on to another page.",
            "It may want you to sign in, or the address is not quite right.",
            "Check the address under Services; most end in /v1.",
        )
    return there
