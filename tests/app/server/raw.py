"""HTTP written by hand, for what no well-behaved client sends."""

import socket
from urllib.parse import urlsplit


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=15)


def exchange(url: str, *pieces: bytes) -> bytes:
    """Everything that comes back until the server closes the connection."""
    with connected(url) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    come = b""
    try:
        while piece := connection.recv(65536):
            come += piece
    except ConnectionResetError:
        pass
    return come


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0
