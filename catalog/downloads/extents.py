"""Which stretches of a file are there."""

import bisect
from collections.abc import Iterable

Extent = tuple[int, int]


class Extents:
    """Byte ranges from a start up to, not including, an end: in order, none touching another."""

    def __init__(self, extents: Iterable[Extent] = ()) -> None:
        self._extents: list[Extent] = []
        for start, end in extents:
            self.add(start, end)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extents) and self._extents == other._extents

    def __repr__(self) -> str:
        return f"Extents({self._extents})"

    def add(self, start: int, end: int) -> None:
        """Join a range to those that are there. An empty one changes nothing."""
        if start >= end:
            return
        first = bisect.bisect_left(self._extents, start, key=lambda extent: extent[1])
        last = bisect.bisect_right(self._extents, end, key=lambda extent: extent[0])
        if first < last:
            start = min(start, self._extents[first][0])
            end = max(end, self._extents[last - 1][1])
        self._extents[first:last] = [(start, end)]

    def clipped(self, size: int) -> "Extents":
        """What of it lies within the first `size` bytes."""
        return Extents((start, min(end, size)) for start, end in self._extents)

    @property
    def extents(self) -> tuple[Extent, ...]:
        return tuple(self._extents)

    @property
    def covered(self) -> int:
        """Bytes in all of them."""
        return sum(end - start for start, end in self._extents)

    @property
    def frontier(self) -> int:
        """Bytes that are there from the beginning on without a gap."""
        return self._extents[0][1] if self._extents and self._extents[0][0] == 0 else 0

    def first_gap(self, size: int | None) -> tuple[int, int | None] | None:
        """The first stretch of a file of `size` bytes that is missing; an end of None is open.

        None where nothing is missing. A file of unknown size always has a gap at its end.
        """
        start = self.frontier
        following = 1 if start else 0
        end = self._extents[following][0] if following < len(self._extents) else size
        return None if size is not None and start >= size else (start, end)
