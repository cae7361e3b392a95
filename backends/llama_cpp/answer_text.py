"""From the bytes of tokens to the text of an answer."""

import codecs
from collections.abc import Iterator, Sequence

from backends.protocol import ReasoningDelta, TextDelta
from backends.reasoning import ReasoningSplitter, partial_match


class StopStrings:
    """Cuts a streamed text at the first of some strings, wherever its pieces are divided."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = [string for string in strings if string]
        self._held = ""
        self.found = False

    def feed(self, text: str) -> str:
        """What can be shown: all that is neither past a stop string nor perhaps the start of one."""
        if not self._strings:
            return text
        self._held += text
        starts = [self._held.find(string) for string in self._strings]
        hits = [start for start in starts if start >= 0]
        if hits:
            self.found = True
            shown, self._held = self._held[: min(hits)], ""
            return shown
        held = max(partial_match(self._held, string) for string in self._strings)
        return self._take(len(self._held) - held)

    def finish(self) -> str:
        return self._take(len(self._held))

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken


class AnswerText:
    """Decodes, cuts and splits an answer. `text` and `reasoning` are what was given out so far."""

    def __init__(self, splitter: ReasoningSplitter, stop: Sequence[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = StopStrings(stop)
        self._splitter = splitter
        self._texts: list[str] = []
        self._reasonings: list[str] = []

    @property
    def stopped(self) -> bool:
        """Whether a stop string was met."""
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

    def feed(self, piece: bytes) -> Iterator[TextDelta | ReasoningDelta]:
        text = self._stop.feed(self._decoder.decode(piece))
        if text:
            yield from self._noted(self._splitter.feed(text))

    def finish(self) -> Iterator[TextDelta | ReasoningDelta]:
        """What was held back. A character that the answer's end cut in two is dropped."""
        yield from self._noted(self._splitter.feed(self._stop.finish()))
        yield from self._noted(self._splitter.finish())

    def _noted(
        self, events: Iterator[TextDelta | ReasoningDelta]
    ) -> Iterator[TextDelta | ReasoningDelta]:
        for event in events:
            kept = self._texts if isinstance(event, TextDelta) else self._reasonings
            kept.append(event.text)
            yield event
