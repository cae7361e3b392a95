"""What the network did to a request, in words. The library's own texts may hold what was sent."""

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx2

from backends.errors import BackendError, BadAnswer, Unreachable
from backends.openai_compatible.addresses import is_loopback


class NotConnected(Unreachable):
    """There was no connection yet, so that trying again does nothing twice."""


class Refused(Unreachable):
    """On this computer nothing listens at the address, and a second try would find the same."""


class BrokenOff(Unreachable):
    """The connection ended where there should have been more."""


def in_words(error: httpx2.HTTPError, name: str, url: str, *, kept: bool = False) -> BackendError:
    """The error that a failure of the library is. `name` is the service's, `url` what was asked.

    `kept`: it was a connection of an earlier request, on which nothing came.
    """
    what = f"There is no connection to {name}."
    causes = tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Unreachable(
            f"{name} can't be trusted.",
            "Its certificate is not one that this computer accepts.",
            "Check the address and the computer's clock, or add your network's certificate to the "
            "system.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unreachable(
            what,
            "No safe connection could be agreed on.",
            "Check whether its address begins with https:// or with http://.",
        )
    if isinstance(error, httpx2.ProxyError):
        return Unreachable(
            what, "The proxy did not let it through.", "Check the proxy in the settings."
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return NotConnected(
            what, "Its name can't be looked up.", "Check the address and your network."
        )
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return NotConnected(what, "It does not answer.", "Check the address and your network.")
    if isinstance(error, httpx2.ConnectError):
        if is_loopback(url) and any(_is_refused(cause) for cause in causes):
            return Refused(
                what, "Nothing runs at its address.", "Start it, or check the address and its port."
            )
        return NotConnected(what, "It can't be reached.", "Check the address and your network.")
    if isinstance(error, httpx2.TimeoutException):
        return Unreachable(
            f"{name} sends nothing.",
            "It was waited for long enough.",
            "Try again, or choose another model.",
        )
    if isinstance(error, httpx2.RemoteProtocolError) and not _is_disconnect(error):
        return BadAnswer(
            f"{name} sends what can't be understood.",
            "It does not speak HTTP as it should.",
            "Check the address and its port.",
        )
    if kept:  # it had ended just then, as idle connections do
        return NotConnected(f"The connection to {name} broke off.", fix="Try again.")
    return BrokenOff(f"The connection to {name} broke off.", fix="Try again.")


def _is_disconnect(error: httpx2.RemoteProtocolError) -> bool:
    return "disconnected" in str(error) or "closed connection" in str(error)


def _is_refused(error: BaseException) -> bool:
    return isinstance(error, ConnectionRefusedError) or (
        isinstance(error, OSError) and error.errno == errno.ECONNREFUSED
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
