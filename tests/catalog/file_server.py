"""A server of files on 127.0.0.1 that can fail in every way that real ones do."""

import contextlib
import email.utils
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

import msgspec

from tests.catalog.contents import Content, Generated, read_content, size_of
from tests.catalog.loopback import LoopbackServer, ServedBy

__all__ = ["Content", "Fault", "FileServer", "Generated", "Request"]

Fault = Literal[
    "reset",  # the connection is reset in the middle of the answer
    "cut",  # the body ends in the middle of the answer, cleanly
    "stall",  # nothing comes any more after the middle of the answer
    "mute",  # nothing comes at all, not even headers
    "drip",  # a few bytes, then the connection is dropped
    "slow",  # 400 KB/s
    "400",
    "401",
    "403",
    "404",
    "410",
    "429",  # with the server's `retry_after`
    "500",
    "503",
    "wrong bytes",  # the right length, another content
    "longer",  # a file that is longer than it should be
    "shorter",  # a file that is shorter than it should be
    "overlong",  # more bytes than the answer itself announces, and no end to them
    "no range",  # a 200 to a Range request
    "wrong range",  # a 206 with another stretch than was asked for
    "wrong size",  # a 206 whose Content-Range gives another size of the whole
    "416",
    "new etag",  # the file has another tag from now on
    "expired",  # a 403, and from now on for every address that was signed before
    "redirect loop",
    "endless",  # a 200 without a length that never ends
]

_STATUSES = ("400", "401", "403", "404", "410", "429", "500", "503")
_PIECE = 1 << 18
_SLOW = 400_000


class Request(msgspec.Struct):
    """One request. `sent` counts the bytes of its body that were handed to the system so far."""

    method: str
    path: str
    range: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0


class FileServer(LoopbackServer):
    """Serves `files` by name: each is at `url` + "/" + name.

    `faults` befall the GETs one after the other; a fault given once happens once, then all is well,
    and with `always=True` the last one stays. `bytes_per_second_per_connection` bounds each answer,
    `latency` is waited before each one and for each new connection, in seconds. `redirects` sends
    a path on to an address. With `signed=True` only what `sign` gives is served, until `expire`.
    `ranges`, `sizes` and `heads` False: a server that does not do these. `certificate` is a PEM
    file with a key, for HTTPS. It stops at the end of its `with` block.

    Attributes:
        requests: Every request so far, in order.
        retry_after: What a 429 or 503 asks for.
        open_most: How many GETs were being answered at once, at most.
    """

    def __init__(
        self,
        files: Mapping[str, Content],
        *,
        faults: Iterable[Fault] = (),
        always: bool = False,
        bytes_per_second_per_connection: float = 0.0,
        latency: float = 0.0,
        etag: str = "",
        signed: bool = False,
        redirects: Mapping[str, str] | None = None,
        ranges: bool = True,
        sizes: bool = True,
        heads: bool = True,
        authorization: str = "",
        certificate: Path | None = None,
    ) -> None:
        self.files = dict(files)
        self.faults = list(faults)
        self.always = always
        self.bytes_per_second = bytes_per_second_per_connection
        self.latency = latency
        self.etag = etag
        self.signed = signed
        self.redirects = dict(redirects or {})
        self.ranges = ranges
        self.sizes = sizes
        self.heads = heads
        self.authorization = authorization
        self.retry_after = "0"
        self.requests: list[Request] = []
        self.open_most = 0
        self._open = 0
        self._lock = threading.Lock()
        self._generation = 0
        self._signature = 1
        super().__init__(_Handler, certificate)

    @property
    def url(self) -> str:
        return self.origin

    def address(self, name: str) -> str:
        return f"{self.url}/{quote(name)}"

    def sign(self, name: str) -> str:
        """An address of the file that holds until `expire`."""
        return f"{self.address(name)}?signature={self._signature}"

    def expire(self) -> None:
        with self._lock:
            self._signature += 1

    def gets(self, name: str = "") -> list[Request]:
        """The GETs so far, of one file or of all."""
        return [each for each in self.requests if each.method == "GET" and name in each.path]

    @property
    def ranges_asked(self) -> list[str]:
        return [each.range for each in self.gets()]

    @property
    def bytes_sent(self) -> int:
        return sum(each.sent for each in self.gets())

    def is_signed(self, signature: str) -> bool:
        return not self.signed or signature == str(self._signature)

    def next_fault(self) -> Fault | None:
        with self._lock:
            if not self.faults:
                return None
            return self.faults[0] if self.always and len(self.faults) == 1 else self.faults.pop(0)

    def etag_of(self, name: str, fault: Fault | None) -> str:
        with self._lock:
            if fault == "new etag":
                self._generation += 1
            tag = self.etag or hashlib.sha256(name.encode()).hexdigest()[:16]
            return f'"{tag}-{self._generation}"'

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        with self._lock:
            self._open += 1
            self.open_most = max(self.open_most, self._open)
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 0.5  # seconds that a kept-alive connection may be idle
    server: ServedBy

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(30)
        if self.server.owner.latency:
            self.server.owner.closing.wait(self.server.owner.latency)

    def handle_one_request(self) -> None:
        # Only waiting for the next request is bounded so tightly.
        self.connection.settimeout(self.timeout)
        super().handle_one_request()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(None)

    def do_GET(self) -> None:
        with self.server.owner.answering():
            self._answer(self.server.owner.next_fault())

    def _answer(self, fault: Fault | None) -> None:
        owner = self.server.owner
        self.connection.settimeout(30)
        parts = urlsplit(self.path)
        asked = self.headers.get("Range", "")
        self._record = Request(self.command, parts.path, asked, dict(self.headers))
        owner.requests.append(self._record)
        if owner.latency:
            owner.closing.wait(owner.latency)
        name = unquote(parts.path).removeprefix("/")
        signature = parse_qs(parts.query).get("signature", [""])[0]
        given = self.headers.get("Authorization", "")
        if fault == "mute":
            owner.closing.wait(20)
            self.close_connection = True
        elif self.command == "HEAD" and not owner.heads:
            self._send(405, {})
        elif owner.authorization not in ("", given):
            self._send(401, {})
        elif fault in _STATUSES:
            self._send(int(fault), {"Retry-After": owner.retry_after})
        elif fault == "redirect loop":
            self._send(302, {"Location": self.path})
        elif parts.path in owner.redirects:
            self._send(302, {"Location": owner.redirects[parts.path]})
        elif name not in owner.files:
            self._send(404, {})
        else:
            if fault == "expired":
                owner.expire()
            if fault == "expired" or not owner.is_signed(signature):
                self._send(403, {})
            else:
                self._serve(owner, name, fault)

    def _serve(self, owner: FileServer, name: str, fault: Fault | None) -> None:
        content = _changed(owner.files[name], fault)
        size = size_of(content)
        etag = owner.etag_of(name, fault)
        headers = {"ETag": etag, "Last-Modified": email.utils.formatdate(0, usegmt=True)}
        if fault == "endless":
            self._start(200, headers | {"Connection": "close"})
            self._send_for_ever(owner)
            return
        first, last = 0, size - 1
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_partial = (
            wanted is not None
            and owner.ranges
            and self.headers.get("If-Range", etag) == etag
            and fault != "no range"
        )
        if owner.ranges:
            headers["Accept-Ranges"] = "bytes"
        if is_partial and wanted is not None:
            first = int(wanted[1])
            last = min(last, int(wanted[2] or last))
        if fault == "416" or (is_partial and first >= size):
            self._send(416, {"Content-Range": f"bytes */{size}"})
            return
        if is_partial:
            shift = 7 if fault == "wrong range" else 0
            total = size + (7 if fault == "wrong size" else 0)
            headers["Content-Range"] = f"bytes {first + shift}-{last + shift}/{total}"
        if owner.sizes or is_partial:
            headers["Content-Length"] = str(last + 1 - first)
        else:
            headers["Connection"] = "close"
        self._start(206 if is_partial else 200, headers)
        if self.command == "HEAD":
            return
        with contextlib.suppress(OSError):
            self._send_body(owner, content, first, last + 1, fault)
            if fault == "overlong":
                self._send_for_ever(owner)
        if not owner.sizes:
            self.close_connection = True

    def _send_body(
        self, owner: FileServer, content: Content, start: int, end: int, fault: Fault | None
    ) -> None:
        if fault in ("reset", "cut", "stall"):
            self._write(read_content(content, start, (end - start) // 2))
        if fault == "drip":
            self._write(read_content(content, start, min(10, end - start)))
        if fault == "stall":
            owner.closing.wait(20)
        if fault == "reset":
            # The client must have read its half: a reset throws away what is in its buffer.
            owner.closing.wait(0.2)
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if fault in ("reset", "cut", "stall", "drip"):
            self.close_connection = True
            if fault != "reset":
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        rate = _SLOW if fault == "slow" else owner.bytes_per_second
        piece = min(_PIECE, max(4096, int(rate / 50))) if rate else _PIECE
        began = time.monotonic()
        for at in range(start, end, piece):
            self._write(read_content(content, at, min(piece, end - at)))
            if rate:
                ahead = (at + piece - start) / rate - (time.monotonic() - began)
                if ahead > 0 and owner.closing.wait(ahead):
                    self.close_connection = True
                    return

    def _send_for_ever(self, owner: FileServer) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            while not owner.closing.is_set():
                self._write(bytes(_PIECE))

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self._record.sent += len(data)

    def _send(self, status: int, headers: dict[str, str]) -> None:
        self._start(status, headers | {"Content-Length": "0"})

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self._record.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _changed(content: Content, fault: Fault | None) -> Content:
    if fault not in ("wrong bytes", "longer", "shorter"):
        return content
    data = read_content(content, 0, size_of(content))
    if fault == "longer":
        return data + b"more"
    return data[: len(data) // 2 + 1] if fault == "shorter" else bytes(len(data))
