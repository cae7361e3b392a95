"""From the bytes of tokens to the text of an answer."""

import codecs
from collections.abc import Iterable, Iterator, Sequence

from backends.protocol import ReasoningDelta, TextDelta, ToolCall, ToolCallDelta
from backends.reasoning import ReasoningSplitter
from backends.stop_strings import StopStrings
from backends.tool_calls.splitter import ToolCallSplitter

Said = TextDelta | ReasoningDelta | ToolCallDelta | ToolCall


class AnswerText:
    """Decodes, cuts and splits an answer. `text` and `reasoning` are what was given out so far."""

    def __init__(
        self,
        splitter: ReasoningSplitter,
        stop: Sequence[str],
        calls: ToolCallSplitter | None = None,
    ) -> None:
        """Without `calls`, all that is no reasoning is text."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = StopStrings(stop)
        self._splitter = splitter
        self._calls = calls
        self._texts: list[str] = []
        self._reasonings: list[str] = []

    @property
    def stopped(self) -> bool:
        """Whether a stop string was met, or the one call that is wanted."""
        return bool(self._stop.found) or (self._calls is not None and self._calls.ended)

    @property
    def stop_text(self) -> str:
        """The stop string that was met, or an empty text."""
        return self._stop.found

    @property
    def is_thinking(self) -> bool:
        """Whether what comes next is a part of the thinking."""
        return self._splitter.is_thinking

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasonings)

    @property
    def begun_call(self) -> str:
        """What there is of a call that has begun; empty outside of calls."""
        return self._calls.begun if self._calls is not None else ""

    @property
    def calls(self) -> Sequence[str]:
        """The calls as the model wrote them."""
        return self._calls.calls if self._calls is not None else ()

    def bind_call(self) -> None:
        """The call that has begun can only become whole: tell its arguments in pieces."""
        if self._calls is not None:
            self._calls.bind()

    def feed(self, piece: bytes) -> Iterator[Said]:
        text = self._stop.feed(self._decoder.decode(piece))
        if text:
            yield from self._noted(self._splitter.feed(text))

    def finish(self) -> Iterator[Said]:
        """What was held back. A character that the answer's end cut in two is dropped."""
        yield from self._noted(self._splitter.feed(self._stop.finish()))
        yield from self._noted(self._splitter.finish())
        if self._calls is not None:
            yield from self._kept(self._calls.finish())

    def _noted(self, events: Iterator[TextDelta | ReasoningDelta]) -> Iterator[Said]:
        for event in events:
            if isinstance(event, ReasoningDelta):
                self._reasonings.append(event.text)
                yield event
            elif self._calls is not None:
                yield from self._kept(self._calls.feed(event.text))
            else:
                yield from self._kept([event])

    def _kept(self, events: Iterable[TextDelta | ToolCallDelta | ToolCall]) -> Iterator[Said]:
        for event in events:
            if isinstance(event, TextDelta):
                self._texts.append(event.text)
            yield event
