"""Which addresses of the web may be used at all: what comes in the clear can be changed on the way."""

from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_safe_address(url: str) -> bool:
    """Whether it is https, or http on this computer, where encryption would add nothing."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
