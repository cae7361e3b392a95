"""The JSON body of a request, as the struct that it should be."""

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from app.server.failures import Failure

if TYPE_CHECKING:
    from starlette.requests import Request

T = TypeVar("T")

_PLACE = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")


class Body:
    """The bytes of a request, until they are taken: what was decoded needs them no more, and an
    answer may take minutes.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self.size = 0
        self.held = 0  # of the bytes that all requests may have

    def add(self, piece: bytes) -> None:
        self._bytes += piece
        self.size += len(piece)

    def take(self) -> bytearray:
        """All of it, once."""
        taken, self._bytes = self._bytes, bytearray()
        return taken


async def decoded(request: "Request", kind: type[T]) -> T:
    """The body as a `kind`. Raises `Failure`, whose `param` is the field that is wrong.

    Fields that `kind` doesn't have are ignored. How large a body may be, `app.server.arrivals` sees to.
    """
    body: bytearray = request.state.body.take()
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Failure("invalid", "The body is compressed. Send it as it is.")
    if not body or body.isspace():
        raise Failure("invalid", "The body is empty. It should be a JSON object.")
    return decoded_json(body, kind)


def decoded_json(body: bytes | bytearray, kind: type[T]) -> T:
    """As `decoded`, of a body that is here."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        param = place[1] if place else ""
        said = text[: place.start()] if place else text
        raise Failure(
            "invalid", f"{param}: {said}." if param else f"{said}.", param=param
        ) from None
    except RecursionError:
        raise Failure("invalid", "The body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failure("invalid", f"The body is not JSON. {error}.") from None
