"""The settings of the local server, and its state."""

from typing import Literal

import msgspec

from app.errors import Problem

ServerPhase = Literal["off", "starting", "on", "stopping", "failed"]

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
EVERY_ADDRESS = "0.0.0.0"
SHORTEST_KEY = 16
"""Characters of a key that has to keep other computers out."""


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is to run. Without a `key` everybody who reaches it may use it.

    `host` is an address of this computer; one that isn't loopback demands a `key` of some length.
    Port 0 takes any that is free. `origins` are of pages that may connect ("https://chat.example").
    `serve_connections` offers the models of services and plug-ins too, `show_text` keeps what is asked
    for the list of requests, `keep_chats` stores it among the chats, `load_on_demand` loads a model
    that is asked for. `most_at_once` requests are in work, and `most_waiting` wait. `most_held_bytes`
    are of the bodies of all of them, and of those that are still being sent.
    The head of a request has to come within `head_seconds`, and its body without longer pauses than
    `body_stall_seconds`.
    """

    host: str = "127.0.0.1"
    port: int = 7411
    key: str = ""
    origins: tuple[str, ...] = ()
    serve_connections: bool = False
    show_text: bool = False
    keep_chats: bool = False
    load_on_demand: bool = True
    most_at_once: int = 32
    most_waiting: int = 128
    most_connections: int = 512
    most_body_bytes: int = 32 * 1024 * 1024
    most_held_bytes: int = 96 * 1024 * 1024
    head_seconds: float = 10.0
    body_stall_seconds: float = 20.0

    def __repr__(self) -> str:
        """Without the key: a log or a report may show it."""
        return (
            f"ServerConfig(host={self.host!r}, port={self.port}, key={'…' if self.key else ''!r})"
        )


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """`addresses` are base URLs that a person can type ("http://127.0.0.1:7411"). `problem` says why it failed."""

    phase: ServerPhase = "off"
    addresses: tuple[str, ...] = ()
    problem: Problem | None = None
