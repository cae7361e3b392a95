"""Tell calls of tools from the text of an answer while it streams in."""

import json
import secrets
from collections.abc import Iterator, Sequence

from backends.protocol import TextDelta, Tool, ToolCall, ToolCallDelta
from backends.reasoning import partial_match
from backends.tool_calls.call_format import Call, CallFormat, Found
from backends.tool_calls.pieces import CallPieces, begun_call

_BETWEEN_CALLS = " \t\r\n;,"
_ID_BYTES = 12

Part = TextDelta | ToolCallDelta | ToolCall


class ToolCallSplitter:
    """Turns pieces of an answer's text into `TextDelta`, `ToolCallDelta` and `ToolCall` events.

    A mark may arrive in any number of pieces; what may be a call is held back until that is settled, or
    until `finish`. What is none, or a call of an unknown tool, is text. White space around calls is
    dropped. An answer that begins to repeat a call ends there: small models go round in circles.
    `calls` are the texts of those that were found.

    A bound call can only become whole, because a grammar holds it. Its arguments are told in pieces,
    unless its tool was called before: then it may be a repetition.
    """

    def __init__(
        self, form: CallFormat, tools: Sequence[Tool], *, several: bool, bound: bool = False
    ) -> None:
        """Without `several`, the answer ends with the first call. `bound`: every call is bound."""
        self._form = form
        self._tools = {tool.name: tool for tool in tools}
        self._several = several
        self._all_bound = self._is_bound = bound
        self._pieces: CallPieces | None = None
        self._held = ""
        self._space = ""
        self._is_calling = False
        self._may_be_bare = True
        self._after_call = False
        self._ids: set[str] = set()
        self._made: set[tuple[str, str]] = set()
        self.calls: list[str] = []
        self.ended = False

    @property
    def begun(self) -> str:
        """What there is of a call that has begun; empty outside of calls."""
        return self._held if self._is_calling else ""

    def bind(self) -> None:
        """The call that has begun is bound."""
        self._is_bound = True

    def feed(self, text: str) -> Iterator[Part]:
        if not self.ended:
            self._held += text
            yield from self._go_on(is_whole=False)

    def finish(self) -> Iterator[Part]:
        """What was held back, when no more text will come."""
        yield from self._go_on(is_whole=True)
        if self._space and not self._after_call:
            yield TextDelta(self._space)
        self._space = ""

    def _go_on(self, *, is_whole: bool) -> Iterator[Part]:
        while self._held and not self.ended:
            if not self._is_calling:
                yield from self._shown(self._take(self._until_opening(is_whole)))
                if not self._is_calling:
                    return
            found = self._form.read(self._held, self._tools, is_whole)
            if found is None and not is_whole:
                if self._is_bound:
                    yield from self._told()
                return
            self._is_calling = False
            self._is_bound = self._all_bound
            if self._pieces is not None and not self._pieces.became(found, self._held):
                # What was told in pieces can't be told again, as text.
                self._held = self._space = ""
                self.ended = True
            elif found is None or not found.calls:
                yield from self._shown(self._take(found.end if found else len(self._held)))
            else:
                yield from self._called(found)

    def _until_opening(self, is_whole: bool) -> int:
        """How much of what is held is certainly text; a call begins there if `_is_calling` says so."""
        starts = [self._held.find(opening) for opening in self._form.openings]
        bare = self._bare_opening()
        if bare is not None:
            starts.append(bare)
        found = [start for start in starts if start >= 0]
        if found:
            self._is_calling = True
            return min(found)
        if is_whole:
            return len(self._held)
        if bare is not None:
            return 0
        return len(self._held) - max(
            partial_match(self._held, opening) for opening in self._form.openings
        )

    def _bare_opening(self) -> int | None:
        """Where a call without a mark begins; -1 if that isn't settled, None if there is none."""
        if not self._may_be_bare or not self._form.bare:
            return None
        start = self._held.lstrip(_BETWEEN_CALLS if self._after_call else None)
        if any(start.startswith(opening) for opening in self._form.bare):
            return len(self._held) - len(start)
        return -1 if any(opening.startswith(start) for opening in self._form.bare) else None

    def _shown(self, text: str) -> Iterator[TextDelta]:
        if self._after_call:
            text = text.lstrip(_BETWEEN_CALLS if self._is_calling else None)
        ending = text.rstrip()
        if not ending:
            self._space += text
            return
        self._may_be_bare = self._after_call = False
        yield TextDelta(self._space + ending)
        self._space = text[len(ending) :]

    def _told(self) -> Iterator[ToolCallDelta]:
        """What is new of the arguments of a bound call."""
        if self._pieces is None:
            begun = begun_call(self._form, self._held, self._tools)
            if begun is None or any(begun.name == name for name, _ in self._made):
                return
            self._pieces = CallPieces(self._id(Call(begun.name, "")), begun)
        yield from self._pieces.more(self._held)

    def _called(self, found: Found) -> Iterator[ToolCallDelta | ToolCall]:
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            yield from pieces.more(self._held)
        self.calls.append(self._take(found.end))
        self._space = ""
        self._may_be_bare = self._after_call = True
        self.ended = not self._several
        for call in found.calls if self._several else found.calls[:1]:
            made = call.name, _meaning(call.arguments)
            if made in self._made:
                self.ended = True
                return
            self._made.add(made)
            yield ToolCall(pieces.id if pieces else self._id(call), call.name, call.arguments)
            pieces = None

    def _id(self, call: Call) -> str:
        made = call.id if call.id and call.id not in self._ids else ""
        made = made or f"call_{secrets.token_hex(_ID_BYTES)}"
        self._ids.add(made)
        return made

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken


def _meaning(arguments: str) -> str:
    """Arguments that mean the same, written the same."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
