import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.openai_compatible import sse
from backends.openai_compatible.sse import EventParser, EventTooLong, ServerEvent


def parsed(data: bytes, cuts: list[int]) -> list[ServerEvent]:
    parser = EventParser()
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    events = []
    for start, end in itertools.pairwise(edges):
        events += parser.feed(data[start:end])
    return [*events, *parser.finish()]


CUTS = st.lists(st.integers(0, 10_000), max_size=8)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\r\n\r\ndata: b\r\rdata: c\n\n", [("", b"a"), ("", b"b"), ("", b"c")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b": comment\n\nevent: ping\n\ndata\n\n", [("", b"")]),
        (b"event: error\nid: 4\nretry: 9\ndata:  x\n\n", [("error", b" x")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"data: cut off", [("", b"cut off")]),
        (b"nonsense\n\n\n\n", []),
        (b"", []),
    ],
)
@given(cuts=CUTS)
def test_events_are_the_same_however_they_are_cut(
    stream: bytes, events: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    assert [(event.kind, event.data) for event in parsed(stream, cuts)] == events


@given(st.binary(max_size=200), CUTS)
def test_any_bytes_are_read_the_same_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    assert parsed(data, cuts) == parsed(data, [])


@pytest.mark.parametrize("line", [b"data: " + b"x" * 60 + b"\n", b"x" * 60, b"event: y\n"])
def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    monkeypatch.setattr(sse, "LONGEST_EVENT", 1000)
    with pytest.raises(EventTooLong):
        parsed(line * 1000, list(range(0, 50_000, 100)))
