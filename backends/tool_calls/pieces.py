"""The arguments of a call while the model writes them."""

from collections.abc import Iterator

import msgspec

from backends.protocol import ToolCallDelta
from backends.tool_calls.call_format import CallFormat, Found, Tools, skip_space
from backends.tool_calls.json_call import object_end


class BegunCall(msgspec.Struct, frozen=True):
    """`start` is where its arguments begin in its text."""

    name: str
    start: int


def begun_call(form: CallFormat, text: str, tools: Tools) -> BegunCall | None:
    """The call that a text begins with, exactly as the form writes it, once its arguments have begun.

    None where arguments are not written as JSON: they are known when they can be read as a whole.
    """
    if form.notation != "json":
        return None
    frame = form.frame
    at = len(frame.first) if text.startswith(frame.first) else 0
    for name in tools:
        head = frame.name(name)
        if text.startswith(head, at):
            start = skip_space(text, at + len(head))
            return BegunCall(name, start) if text.startswith("{", start) else None
    return None


class CallPieces:
    """Tells the arguments of one call in pieces."""

    def __init__(self, call_id: str, call: BegunCall) -> None:
        self.id = call_id
        self._call = call
        self._told = 0

    def more(self, text: str) -> Iterator[ToolCallDelta]:
        """What the text of the call has that was not told yet."""
        arguments = self._arguments(text)
        new = arguments[self._told :]
        if new:
            self._told = len(arguments)
            yield ToolCallDelta(self.id, self._call.name, new)

    def became(self, found: Found | None, text: str) -> bool:
        """Whether the first call that was found in its text is the one that was told."""
        if found is None or not found.calls:
            return False
        call = found.calls[0]
        return (call.name, call.arguments) == (self._call.name, self._arguments(text))

    def _arguments(self, text: str) -> str:
        start = self._call.start
        return text[start : object_end(text, start)]
