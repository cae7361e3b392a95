"""Who may come in: by the name that they call us, the page that they come from, and the key."""

import hmac
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping

from app.server.config import LOOPBACK_HOSTS, ServerConfig
from app.server.failures import Failure

FREE_PATHS = ("/", "/health", "/docs", "/openapi.json")
"""What tells nothing of the person, and needs no key."""

_MAX_AGE_SECONDS = b"600"
_HOST = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?")
_METHODS = b"GET, POST, DELETE, OPTIONS"

Headers = Mapping[bytes, bytes]


class Access:
    """Decides for each request, before anything else of it is looked at."""

    def __init__(self, config: ServerConfig) -> None:
        self._key = config.key.encode()
        self._origins = frozenset(origin.encode() for origin in config.origins)
        self._is_local = config.host in LOOPBACK_HOSTS
        self._names = frozenset(LOOPBACK_HOSTS if self._is_local else (*LOOPBACK_HOSTS, *_names()))

    def check(self, path: str, headers: Headers) -> None:
        """Raises `Failure`."""
        self._check_host(headers.get(b"host", b""))
        self._check_page(headers)
        if self._key and path not in FREE_PATHS:
            self._check_key(headers)

    def preflight(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """The headers that answer a browser which asks whether a page may ask. Raises `Failure`."""
        self._check_host(headers.get(b"host", b""))
        self._check_page(headers)
        answer = [
            *self.shared(headers),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        ]
        if wanted := headers.get(b"access-control-request-headers"):
            answer.append((b"access-control-allow-headers", wanted))
        if headers.get(b"access-control-request-private-network") == b"true":
            answer.append((b"access-control-allow-private-network", b"true"))
        return answer

    def shared(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """The headers with which a browser lets a listed page read the response."""
        origin = headers.get(b"origin", b"")
        if origin not in self._origins:
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", b"retry-after"),
            (b"vary", b"origin"),
        ]

    def _check_host(self, host: bytes) -> None:
        """A page whose name was made to mean this computer (DNS rebinding) gives its own name."""
        name = _host_name(host.decode("latin-1"))
        if name in self._names or (not self._is_local and _is_address(name)):
            return
        raise Failure(
            "forbidden",
            (
                f"This server doesn't answer to the name “{name[:100]}”."
                if name
                else "There is no Host."
            )
            + " Use the address that Causeway shows.",
            code="host_refused",
        )

    def _check_page(self, headers: Headers) -> None:
        origin = headers.get(b"origin")
        if origin is None:
            site = headers.get(b"sec-fetch-site", b"none")
            mode = headers.get(b"sec-fetch-mode", b"")
            if site in (b"none", b"same-origin") or mode == b"navigate":
                return
        elif origin in self._origins:
            return
        raise Failure(
            "forbidden",
            "Pages from there may not connect."
            " They have to be listed in Causeway's settings, under “Pages that may connect”.",
            code="origin_refused",
        )

    def _check_key(self, headers: Headers) -> None:
        given = headers.get(b"x-api-key") or headers.get(b"api-key", b"")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            given = token.strip()
        if hmac.compare_digest(given, self._key):
            return
        said = "The key is not the one of this server." if given else "A key is needed."
        raise Failure(
            "unauthorized",
            f"{said} Copy it from the page Server in Causeway; “causeway keys server” prints it, too.",
            code="invalid_api_key",
        )


def local_addresses() -> tuple[str, ...]:
    """The IPv4 addresses under which other computers of the network reach this one."""
    import psutil

    found = []
    for name, addresses in psutil.net_if_addrs().items():
        if not (stats := psutil.net_if_stats().get(name)) or not stats.isup:
            continue
        for each in addresses:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                found.append(each.address)
    return tuple(found)


def _names() -> Iterable[str]:
    name = socket.gethostname().casefold()
    short = name.partition(".")[0]
    return name, short, f"{short}.local", f"{short}.lan", f"{short}.home.arpa"


def _host_name(host: str) -> str:
    """Without the port, the brackets of IPv6 and a last dot. What is no name with a port is as it was."""
    name = host.strip().casefold()
    parts = _HOST.fullmatch(name)
    return (parts[1] or parts[2] or "").removesuffix(".") if parts else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
