"""Extents know which bytes of a file are there, as a set of bytes would."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from catalog.downloads.extents import Extents

SIZE = 40
RANGES = st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)), max_size=12)


def bytes_in(ranges: list[tuple[int, int]]) -> set[int]:
    return {at for start, end in ranges for at in range(start, end)}


@given(RANGES)
def test_they_cover_what_was_added(ranges: list[tuple[int, int]]) -> None:
    extents = Extents(ranges)
    there = bytes_in(ranges)
    assert bytes_in(list(extents.extents)) == there
    assert extents.covered == len(there)


@given(RANGES)
def test_they_are_in_order_and_none_touches_another(ranges: list[tuple[int, int]]) -> None:
    extents = Extents(ranges).extents
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(extents))
    assert all(start < end for start, end in extents)


@given(RANGES, st.integers(0, SIZE))
def test_the_frontier_and_the_first_gap_are_where_bytes_begin_to_be_missing(
    ranges: list[tuple[int, int]], size: int
) -> None:
    extents = Extents(ranges).clipped(size)
    there = bytes_in(ranges)
    missing = [at for at in range(size) if at not in there]
    assert extents.frontier == (missing[0] if missing else size)
    gap = extents.first_gap(size)
    if not missing:
        assert gap is None
    else:
        assert gap is not None
        start, end = gap
        assert end is not None
        assert start == missing[0]
        assert not there & set(range(start, end))
        assert end == size or end in there


def test_a_file_of_unknown_size_always_has_a_gap_at_its_end() -> None:
    assert Extents().first_gap(None) == (0, None)
    assert Extents([(0, 5)]).first_gap(None) == (5, None)
    assert Extents([(2, 5)]).first_gap(None) == (0, 2)
