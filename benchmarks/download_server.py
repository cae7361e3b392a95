"""A file server that costs next to nothing: a process of its own, which lets the system send.

`python -m benchmarks.download_server FILE LATENCY_SECONDS BYTES_PER_SECOND` prints its port, and ends when
its standard input is closed.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_SEND_BYTES = 4 << 20
_PACED_SECONDS = 0.01


@contextlib.contextmanager
def serving(file: Path, *, latency: float = 0.0, bytes_per_second: int = 0) -> Iterator[str]:
    """The address of `file` on a server with that latency, and that speed on each connection."""
    command = [sys.executable, "-m", __name__, str(file), str(latency), str(bytes_per_second)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/{file.name}"
        server.communicate()


def main(path: str, latency: float, bytes_per_second: int) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)
        accepting = threading.Thread(
            target=_accept, args=(listener, path, latency, bytes_per_second), daemon=True
        )
        accepting.start()
        sys.stdin.read()


def _accept(listener: socket.socket, path: str, latency: float, bytes_per_second: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(
                target=_serve, args=(connection, path, latency, bytes_per_second), daemon=True
            ).start()


def _serve(connection: socket.socket, path: str, latency: float, bytes_per_second: int) -> None:
    time.sleep(latency)  # of the handshake
    file = os.open(path, os.O_RDONLY)
    size = os.fstat(file).st_size
    with contextlib.suppress(OSError), connection:
        requests = connection.makefile("rb")
        while request := b"".join(iter(requests.readline, b"\r\n")):
            time.sleep(latency)
            wanted = re.search(rb"(?i)range: *bytes=(\d+)-(\d*)", request)
            start = int(wanted[1]) if wanted else 0
            end = min(size, int(wanted[2] or size) + 1) if wanted else size
            status = "206 Partial Content" if wanted else "200 OK"
            connection.sendall(
                f'HTTP/1.1 {status}\r\nAccept-Ranges: bytes\r\nETag: "one"\r\n'
                f"Content-Length: {end - start}\r\n"
                f"Content-Range: bytes {start}-{end - 1}/{size}\r\n\r\n".encode()
            )
            _send(connection, file, start, end, bytes_per_second)
    os.close(file)


def _send(
    connection: socket.socket, file: int, start: int, end: int, bytes_per_second: int
) -> None:
    at = start
    began = time.monotonic()
    most = int(bytes_per_second * _PACED_SECONDS) if bytes_per_second else _SEND_BYTES
    while at < end:
        at += os.sendfile(connection.fileno(), file, at, min(most, end - at))
        if bytes_per_second:
            ahead = (at - start) / bytes_per_second - (time.monotonic() - began)
            time.sleep(max(0.0, ahead))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
