"""What RFC 9112 asks of a server beyond what h11 sees to, so that nobody hides a request in another."""

from collections.abc import Mapping
from urllib.parse import unquote

from starlette.types import Scope

from app.server.failures import Failure

_CLOSES = ((b"connection", b"close"),)


def check_framing(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    """Raises `Failure` where a proxy before us could take the request to end elsewhere."""
    if scope["http_version"].partition(".")[0] != "1":
        raise Failure("invalid", "This server speaks HTTP/1.1.", headers=_CLOSES)
    coded = b"transfer-encoding" in headers
    if coded and (b"content-length" in headers or scope["http_version"] == "1.0"):
        raise Failure(
            "invalid",
            "The request doesn't say clearly where it ends. Send Content-Length, or, in HTTP/1.1,"
            " Transfer-Encoding: chunked. One of the two.",
            code="bad_framing",
            headers=_CLOSES,
        )


def in_origin_form(scope: Scope) -> Scope:
    """A request as it is sent to a proxy (“GET http://localhost/health”) as any other.

    Its address takes the place of the `Host`, as RFC 9112 has it.
    """
    target = scope["raw_path"].decode("ascii")
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return scope
    authority, _, path = rest.partition("/")
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        **scope,
        "path": unquote(f"/{path}"),
        "raw_path": f"/{path}".encode(),
        "headers": [(b"host", authority.encode()), *others],
    }
