"""A server on 127.0.0.1 that publishes one catalogue, with an ETag as real ones do."""

import hashlib
import time
from http.server import BaseHTTPRequestHandler

import msgspec

from tests.catalog.loopback import LoopbackServer


class Request(msgspec.Struct, frozen=True):
    if_none_match: str
    authorization: str


class CatalogueServer(LoopbackServer):
    """Serves `data` at `url`. It stops at the end of its `with` block.

    Attributes:
        data: What it publishes now.
        status: What it answers, if not 200.
        never_ends: Whether the body goes on for ever.
        pause: Seconds before each answer.
        requests: Every request so far.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.status = 200
        self.never_ends = False
        self.pause = 0.0
        self.requests: list[Request] = []
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        return f"{self.origin}/catalogue.json"

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.data).hexdigest()}"'


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        owner: CatalogueServer = self.server.owner  # type: ignore[attr-defined]
        seen = self.headers.get("If-None-Match", "")
        owner.requests.append(Request(seen, self.headers.get("Authorization", "")))
        owner.closing.wait(owner.pause)
        same = owner.status == 200 and seen == owner.etag
        self.send_response(304 if same else owner.status)
        self.send_header("ETag", owner.etag)
        if same or owner.status != 200:
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if not owner.never_ends:
            self.send_header("Content-Length", str(len(owner.data)))
        self.end_headers()
        try:
            self.wfile.write(owner.data)
            while owner.never_ends and not owner.closing.is_set():
                self.wfile.write(b" " * 65_536)
                time.sleep(0)
        except OSError:
            pass  # the other side has heard enough

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
