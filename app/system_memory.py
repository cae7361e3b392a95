"""How much memory this computer has, and how much of it can be had now."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Bytes that can be had now. What the system uses as a cache counts: weights are mapped.

    In a container, no more than its limit leaves.
    """
    return min((int(psutil.virtual_memory().available), *_left_in_groups()))


def total_memory() -> int:
    """Bytes of memory in all, or of the container's limit."""
    return min((int(psutil.virtual_memory().total), *(limit for limit, _ in _limits())))


def free_swap() -> int:
    """Bytes that the system can still move out of memory."""
    return int(psutil.swap_memory().free)


def _left_in_groups() -> Iterator[int]:
    for limit, group in _limits():
        with suppress(OSError, ValueError):
            used = int((group / "memory.current").read_text())
            yield max(0, limit - used + _reclaimable(group))


def _limits() -> Iterator[tuple[int, Path]]:
    """The limits of this process's control group and of those around it (Linux, version 2)."""
    for group in _groups():
        with suppress(OSError, ValueError):
            text = (group / "memory.max").read_text().strip()
            if text != "max":
                yield int(text), group


def _groups() -> Iterator[Path]:
    try:
        lines = _OWN_GROUP.read_text().splitlines()
    except (OSError, ValueError):
        return
    own = next((line[3:] for line in lines if line.startswith("0::/")), "")
    if not own or ".." in Path(own).parts:
        return
    group = _GROUPS / own.lstrip("/")
    yield group
    yield from (outer for outer in group.parents if outer.is_relative_to(_GROUPS))


def _reclaimable(group: Path) -> int:
    """Bytes of files that the group has in memory and would give back."""
    for line in (group / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0
