"""Which base URLs may be used, and which of them lead nowhere but to this computer."""

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from backends.errors import BackendError

_LONGEST = 1000
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NEARBY = (".local", ".lan", ".home.arpa", ".internal")
_TAILNET = ipaddress.ip_network("100.64.0.0/10")
_ENDPOINTS = ("/chat/completions", "/completions", "/embeddings", "/models")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Parts(msgspec.Struct, frozen=True):
    scheme: str
    host: str
    port: int | None
    path: str


def checked_url(text: str) -> str:
    """The base URL that a person means, without a slash at its end.

    Without a scheme it is taken for https, and for http where it names this computer or one near by;
    without a path it gets `/v1`; that of one call is cut down to the base. Plain http is allowed to this
    computer and to hosts that are not in the open internet: private addresses, names without a dot
    and names such as `nas.local`. Raises BackendError.
    """
    parts = _parsed(text)
    if parts.scheme == "http" and not (_is_loopback_host(parts.host) or _is_nearby(parts.host)):
        raise BackendError(
            f"The address {_shown(text)} is not safe.",
            "Over plain http, what you write and the key could be read on the way.",
            "Use https. Plain http works for this computer and for your own network "
            "(192.168.…, 10.…, names such as nas.local).",
        )
    host = f"[{parts.host}]" if ":" in parts.host else parts.host
    port = "" if parts.port is None else f":{parts.port}"
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    return f"{parts.scheme}://{host}{port}{path.rstrip('/') or '/v1'}"


def is_loopback(url: str) -> bool:
    """Whether what is sent to the address stays on this computer. False for what is no address."""
    try:
        return _is_loopback_host(_parsed(url).host)
    except BackendError:
        return False


def origin_of(url: str) -> str:
    """Scheme, host and port of a checked URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _parsed(text: str) -> _Parts:
    """The parts of an address, each of them so plain that every parser reads it alike."""
    text = text.strip()
    if not text or len(text) > _LONGEST or re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise _invalid(text)
    if not _SCHEME.match(text):
        text = f"//{text}"
    try:
        split = urlsplit(text)
        host, port = split.hostname or "", split.port
    except ValueError:
        raise _invalid(text) from None
    if "@" in split.netloc:
        raise BackendError(
            "The address has a name or password in it.",
            "There it would be shown and kept as plain text.",
            "Leave it out, and give the key in the field for keys.",
        )
    if split.query or split.fragment:
        raise BackendError(
            f"The address {_shown(split._replace(query='', fragment='').geturl())} "
            "goes on after its path.",
            "A base address ends before any “?” or “#”.",
            "Leave that part out.",
        )
    is_near = _is_loopback_host(host) or (bool(host) and _is_nearby(host))
    scheme = split.scheme or ("http" if is_near else "https")
    if scheme not in ("http", "https") or port == 0:
        raise _invalid(text)
    if not _PATH.fullmatch(split.path) or ".." in split.path.split("/"):
        raise _invalid(text)
    return _Parts(scheme, _plain_host(host, text), port, split.path)


def _plain_host(host: str, text: str) -> str:
    address = _address(host)
    if address is not None:
        if address.is_unspecified:
            raise BackendError(
                f"{host} is an address to listen at, not one to connect to.",
                fix="Use 127.0.0.1 for this computer.",
            )
        return str(address)
    try:
        name = host.encode("idna").decode("ascii").rstrip(".").lower()
    except UnicodeError:
        raise _invalid(text) from None
    # A name whose last part is a number is read as an IPv4 address by some, and of another host.
    last = name.rpartition(".")[2]
    if not _HOST_NAME.fullmatch(name) or re.fullmatch(r"\d+|0x[0-9a-f]*", last):
        raise _invalid(text)
    return name


def _address(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _is_loopback_host(host: str) -> bool:
    address = _address(host)
    return host.rstrip(".").lower() == "localhost" if address is None else address.is_loopback


def _is_nearby(host: str) -> bool:
    address = _address(host)
    if address is None:
        return "." not in host or host.endswith(_NEARBY)
    in_tailnet = isinstance(address, ipaddress.IPv4Address) and address in _TAILNET
    return address.is_private or address.is_link_local or in_tailnet


def _invalid(text: str) -> BackendError:
    return BackendError(
        f"{_shown(text) or 'An empty text'} is not an address of a service.",
        fix="It looks like https://api.example.com/v1 or http://localhost:8080/v1.",
    )


def _shown(text: str) -> str:
    """The text, short and printable, and without what may be a password."""
    plain = "".join(letter for letter in text.removeprefix("//") if letter.isprintable())
    plain = plain.rpartition("@")[2].partition("?")[0]
    return f"“{plain[:100]}”" if plain else ""
