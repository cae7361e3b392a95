"""The JSON values of a streamed answer, whatever the service makes of the word stream."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from backends.errors import BadAnswer
from backends.openai_compatible.calls import Call
from backends.openai_compatible.fields import decoded
from backends.openai_compatible.patience import Patience
from backends.openai_compatible.sse import EventParser, EventTooLong, ServerEvent

_LONGEST_VALUE = 32 << 20
_TAIL_SECONDS = 5.0


class Values:
    """Reads the values of an answer.

    Attributes:
        done: The service said that this was all.
        any: Whether there was any value.
    """

    def __init__(self, call: Call, patience: Patience, name: str) -> None:
        self.done = False
        self.any = False
        self._call = call
        self._patience = patience
        self._name = name
        self._last = time.monotonic()

    def read(self, is_over: Callable[[], bool]) -> Iterator[Any]:
        """Each value as it comes. What follows when `is_over` is waited for a few seconds only.

        Raises Unreachable, BadAnswer and CallClosed.
        """
        head = self._call.head(self._patience.first_byte)
        if head.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise self._garbage("It compresses its answer, which it was not asked to.")
        self._last = time.monotonic()
        chunks = self._call.chunks(lambda: self._seconds(over=is_over()))
        begin = b""
        for chunk in chunks:
            begin = (begin + chunk).lstrip()
            if begin:
                break
        if begin.startswith(b"<"):
            raise self._garbage("It answers with a web page.")
        if begin.startswith((b"{", b"[")):
            yield self._value(self._rest(begin, chunks))
            self.done = True
            return
        yield from self._events(begin, chunks)

    def _events(self, begin: bytes, chunks: Iterator[bytes]) -> Iterator[Any]:
        parser = EventParser()
        try:
            yield from self._data(parser.feed(begin))
            for chunk in chunks if not self.done else ():
                yield from self._data(parser.feed(chunk))
                if self.done:
                    return
            if not self.done:
                yield from self._data(parser.finish())
        except EventTooLong:
            raise self._garbage("A part of its answer has no end.") from None

    def _data(self, events: Iterator[ServerEvent]) -> Iterator[Any]:
        for event in events:
            data = event.data.strip()
            if data == b"[DONE]":
                self.done = True
                return
            if not data:
                continue
            self._last = time.monotonic()
            value = self._value(data)
            if event.kind == "error" and isinstance(value, dict) and "error" not in value:
                value = {"error": value}
            yield value

    def _value(self, data: bytes) -> Any:
        try:
            value = decoded(data)
        except ValueError:
            raise self._garbage("It is not JSON.") from None
        self.any = True
        return value

    def _rest(self, begin: bytes, chunks: Iterator[bytes]) -> bytes:
        body = bytearray(begin)
        for chunk in chunks:
            body += chunk
            if len(body) > _LONGEST_VALUE:
                raise self._garbage("Its answer has no end.")
        return bytes(body)

    def _seconds(self, *, over: bool) -> float:
        """To wait for the next piece. Comments show that the service lives, but not for ever."""
        if over:
            return _TAIL_SECONDS
        since = time.monotonic() - self._last
        first = self._patience.first_byte - since
        return min(self._patience.stall, first) if self.any else first

    def _garbage(self, why: str) -> BadAnswer:
        return BadAnswer(
            f"{self._name} sends what can't be understood.",
            why,
            "Check the address under Services.",
        )
