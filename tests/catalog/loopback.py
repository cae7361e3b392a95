"""The life of a server on 127.0.0.1: what it serves is its subclass's affair."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ServedBy(ThreadingHTTPServer):
    """Hands its handlers the server of the test, as `owner`."""

    daemon_threads = False  # so that closing the server waits for every answer
    request_queue_size = 64
    owner: Any

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client went away, which is what many tests are about


class LoopbackServer:
    """Serves for as long as its `with` block lasts. `certificate` is a PEM file with a key, for HTTPS.

    Attributes:
        closing: Set when the block ends; whoever waits in a handler waits on it.
    """

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], certificate: Path | None = None
    ) -> None:
        self.closing = threading.Event()
        self._server = ServedBy(("127.0.0.1", 0), handler)
        self._server.owner = self
        self._scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def origin(self) -> str:
        return f"{self._scheme}://{self.host}"
