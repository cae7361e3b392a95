"""Find the installed backends by their entry points."""

from importlib.metadata import entry_points
from typing import cast

import msgspec

from backends.protocol import PROTOCOL_VERSION, Backend

ENTRY_POINT_GROUP = "causeway.backends"


class BrokenBackend(msgspec.Struct, frozen=True):
    """A backend that is installed but can't be used. `error` is for the person who made it.

    `package` is what brought it.
    """

    name: str
    error: str
    package: str = ""


def packages() -> dict[str, str]:
    """The name of the package that brings each backend, by the backend's name."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    return {point.name: point.dist.name for point in points if point.dist}


def find_backends() -> tuple[dict[str, Backend], tuple[BrokenBackend, ...]]:
    """Make every registered backend, by name.

    A backend that fails is reported, never raised: another person's plug-in must not keep the
    program from starting.
    """
    found: dict[str, Backend] = {}
    broken: list[BrokenBackend] = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            backend = cast(Backend, point.load()())
            _check_version(backend)
            found[point.name] = backend
        except (Exception, SystemExit) as error:
            package = point.dist.name if point.dist else ""
            said = str(error) if isinstance(error, _OtherVersion) else _named(error)
            broken.append(BrokenBackend(point.name, said, package))
    return found, tuple(broken)


class _OtherVersion(Exception):
    """It was written for another version of the protocol."""


def _check_version(backend: Backend) -> None:
    version = getattr(backend, "protocol_version", None)
    if version != PROTOCOL_VERSION:
        raise _OtherVersion(
            f"It was written for version {version or 'none'} of the protocol; "
            f"this Causeway has version {PROTOCOL_VERSION}."
        )


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
