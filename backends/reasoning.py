"""Tell a model's thinking from its answer while the text streams in."""

from collections.abc import Iterator

from backends.protocol import ReasoningDelta, TextDelta

REASONING_TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
)
"""The marks that models put around their thinking, opening and closing."""


def opened_tag(prompt: str) -> str:
    """The tag that a prompt ends with, so that the answer begins inside of it, or an empty text."""
    ending = prompt.rstrip()
    return next((opening for opening, _ in REASONING_TAGS if ending.endswith(opening)), "")


def closing_tag(opening: str) -> str:
    return dict(REASONING_TAGS)[opening]


class ReasoningSplitter:
    """Turns pieces of raw text into `TextDelta` and `ReasoningDelta` events.

    Thinking is recognised only where it opens the answer: a tag further on is the answer's own text.
    White space at the start of either part is dropped. A tag may arrive in any number of pieces;
    text that may become one is held back until that is settled, or until `finish`.
    """

    def __init__(self, opened: str = "", *, goes_on: bool = False) -> None:
        """`opened` is the tag that the prompt already opened (see `opened_tag`).

        `goes_on` says that the text goes on from a beginning: thinking if a tag is open, else answer.
        """
        self._closing = closing_tag(opened) if opened else ""
        self._held = ""
        self._settled = goes_on
        self._at_start = not goes_on

    @property
    def is_thinking(self) -> bool:
        """Whether thinking has begun and not ended."""
        return bool(self._closing)

    def feed(self, piece: str) -> Iterator[TextDelta | ReasoningDelta]:
        if self._settled and not self._closing:
            yield from self._text(piece)
            return
        self._held += piece
        if not self._closing and not self._open():
            return
        if self._closing:
            yield from self._think()
        else:
            self._settled = True
            yield from self._text(self._take(len(self._held)))

    def finish(self) -> Iterator[TextDelta | ReasoningDelta]:
        """What was held back, when no more text will come."""
        rest = self._take(len(self._held))
        if self._closing:
            yield from self._reasoning(rest)
        else:
            yield from self._text(rest)

    def _open(self) -> bool:
        """Whether it is settled if the answer opens with thinking."""
        start = self._held.lstrip()
        for opening, closing in REASONING_TAGS:
            if start.startswith(opening):
                self._held = start[len(opening) :]
                self._closing = closing
                return True
        return not any(opening.startswith(start) for opening, _ in REASONING_TAGS)

    def _think(self) -> Iterator[TextDelta | ReasoningDelta]:
        end = self._held.find(self._closing)
        if end < 0:
            yield from self._reasoning(
                self._take(len(self._held) - partial_match(self._held, self._closing))
            )
            return
        yield from self._reasoning(self._take(end))
        self._take(len(self._closing))
        self._closing, self._settled, self._at_start = "", True, True
        yield from self._text(self._take(len(self._held)))

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken

    def _text(self, text: str) -> Iterator[TextDelta]:
        text = self._trimmed(text)
        if text:
            yield TextDelta(text)

    def _reasoning(self, text: str) -> Iterator[ReasoningDelta]:
        text = self._trimmed(text)
        if text:
            yield ReasoningDelta(text)

    def _trimmed(self, text: str) -> str:
        if self._at_start:
            text = text.lstrip()
            self._at_start = not text
        return text


def partial_match(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    longest = min(len(text), len(mark) - 1)
    return next((n for n in range(longest, 0, -1) if mark.startswith(text[-n:])), 0)
