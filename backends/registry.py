"""Find the installed backends by their entry points."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias, cast

import msgspec

from backends.in_time import done_in_time
from backends.protocol import PROTOCOL_VERSION, Backend

ENTRY_POINT_GROUP = "causeway.backends"

_PATIENCE_SECONDS = 5.0

_Made: TypeAlias = Backend | str
"""A backend, or why there is none."""


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


def find_backends(
    *, patience_seconds: float = _PATIENCE_SECONDS
) -> tuple[dict[str, Backend], tuple[BrokenBackend, ...]]:
    """Make every registered backend, by name.

    A backend that fails, or that isn't there in time, is reported, never raised: another person's
    plug-in must not keep the program from starting.
    """
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=_is_foreign)
    late = f"It could not be imported within {patience_seconds:g} seconds."
    made = dict.fromkeys(range(len(points)), cast(_Made, late))
    foreign: dict[int, Callable[[], _Made]] = {}
    for number, point in enumerate(points):
        if _is_foreign(point):
            foreign[number] = partial(_make, point)
        else:
            made[number] = _make(point)
    return _sorted(points, list((made | done_in_time(foreign, patience_seconds)).values()))


def _sorted(
    points: Sequence[EntryPoint], made: Sequence[_Made]
) -> tuple[dict[str, Backend], tuple[BrokenBackend, ...]]:
    found: dict[str, Backend] = {}
    broken: list[BrokenBackend] = []
    for point, backend in zip(points, made, strict=True):
        package = point.dist.name if point.dist else ""
        if isinstance(backend, str):
            broken.append(BrokenBackend(point.name, backend, package))
        elif point.name in found:
            broken.append(BrokenBackend(point.name, "There is one of this name already.", package))
        else:
            found[point.name] = backend
    return found, tuple(broken)


def _is_foreign(point: EntryPoint) -> bool:
    return not point.value.startswith("backends.")


def _make(point: EntryPoint) -> _Made:
    try:
        backend = cast(Backend, point.load()())
        _check_version(backend)
    except _OtherVersion as error:
        return str(error)
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return backend


class _OtherVersion(Exception):
    """It was written for another version of the protocol."""


def _check_version(backend: Backend) -> None:
    version = getattr(backend, "protocol_version", None)
    if version != PROTOCOL_VERSION:
        raise _OtherVersion(
            f"It was written for version {version or 'none'} of the protocol; "
            f"this Causeway has version {PROTOCOL_VERSION}."
        )
