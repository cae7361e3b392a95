"""Server-sent events out of bytes as they come. What has no end is refused, not kept."""

import re
from collections.abc import Iterator

import msgspec

LONGEST_EVENT = 8 << 20
"""Bytes of one event, its lines together."""


_ENDING = re.compile(rb"[\r\n]")


class ServerEvent(msgspec.Struct, frozen=True):
    """`kind` is empty for an ordinary one."""

    kind: str
    data: bytes


class EventTooLong(Exception):
    """An event of more than `LONGEST_EVENT` bytes."""


class EventParser:
    """Takes the bytes of a stream in pieces of any size."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self._data: list[bytes] = []
        self._kind = ""
        self._size = 0
        self._after_return = False
        self._at_start = True

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        """The events that end in this piece. Raises EventTooLong."""
        self._held += piece
        for line in self._lines():
            event = self._take(line)
            if event is not None:
                yield event
        if self._size + len(self._held) > LONGEST_EVENT:
            raise EventTooLong

    def finish(self) -> Iterator[ServerEvent]:
        """The last event, where the stream ends without the blank line that ends an event."""
        rest = bytes(self._held)
        self._held.clear()
        for event in (self._take(rest), self._take(b"")):
            if event is not None:
                yield event

    def _lines(self) -> Iterator[bytes]:
        """Whole lines, each ended by a line feed, a carriage return, or both."""
        begin = 0
        for ending in _ENDING.finditer(bytes(self._held), self._searched):
            end, is_feed = ending.start(), ending[0] == b"\n"
            if self._after_return and is_feed and end == begin:
                self._after_return = False  # the second half of an ending
            else:
                self._after_return = not is_feed
                yield bytes(self._held[begin:end])
            begin = end + 1
        if begin < len(self._held):
            self._after_return = False
        del self._held[:begin]
        self._searched = len(self._held)

    def _take(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            line = line.removeprefix(b"\xef\xbb\xbf")
            self._at_start = False
        if not line:
            data, kind = self._data, self._kind
            self._data, self._kind, self._size = [], "", 0
            return ServerEvent(kind, b"\n".join(data)) if data else None
        self._size += len(line)
        if self._size > LONGEST_EVENT:
            raise EventTooLong
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._kind = value[:100].decode("utf-8", "replace")
        return None
