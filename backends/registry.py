"""Find the installed backends by their entry points."""

from importlib.metadata import entry_points
from typing import cast

import msgspec

from backends.protocol import Backend

ENTRY_POINT_GROUP = "causeway.backends"


class BrokenBackend(msgspec.Struct, frozen=True):
    """A backend that is installed but could not be made. `error` is for the person who made it."""

    name: str
    error: str


def find_backends() -> tuple[dict[str, Backend], tuple[BrokenBackend, ...]]:
    """Make every registered backend, by name.

    A backend that fails is reported, never raised: another person's plug-in must not keep the
    program from starting.
    """
    found: dict[str, Backend] = {}
    broken: list[BrokenBackend] = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            found[point.name] = cast(Backend, point.load()())
        except Exception as error:
            broken.append(BrokenBackend(point.name, f"{type(error).__name__}: {error}"))
    return found, tuple(broken)
