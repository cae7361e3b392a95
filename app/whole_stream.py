"""The events of an answer, down to its last: who made the engine may have forgotten that one."""

from collections.abc import Iterator

from backends.errors import BadAnswer
from backends.protocol import ChatStream, Event, Finished


def whole(stream: ChatStream) -> Iterator[Event]:
    """The stream's events. Raises `BadAnswer` where it ends without `Finished`."""
    for event in stream:
        yield event
        if isinstance(event, Finished):
            return
    raise BadAnswer("The engine ended without finishing its answer.", fix="Ask again.")
