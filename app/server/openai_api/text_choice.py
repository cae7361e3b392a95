"""An answer of /v1/completions, whole and in pieces."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from backends.protocol import (
    Event,
    Finished,
    Logprobs,
    PromptEcho,
    ReasoningDelta,
    TextDelta,
    Usage,
)

FinishWord = Literal["stop", "length"]


class TextLogprobs(msgspec.Struct, frozen=True):
    """One entry a token in each; `text_offset` counts characters of the choice's whole text.

    The first token of a prompt has nothing before it that could tell how likely it was: null.
    """

    tokens: list[str] = []
    token_logprobs: list[float | None] = []
    top_logprobs: list[dict[str, float] | None] = []
    text_offset: list[int] = []

    def add(self, other: "TextLogprobs") -> None:
        self.tokens.extend(other.tokens)
        self.token_logprobs.extend(other.token_logprobs)
        self.top_logprobs.extend(other.top_logprobs)
        self.text_offset.extend(other.text_offset)

    def note(
        self, text: str, offset: int, logprob: float | None, top: Sequence[tuple[str, float]]
    ) -> None:
        self.tokens.append(text)
        self.token_logprobs.append(logprob)
        self.text_offset.append(offset)
        if logprob is None:
            self.top_logprobs.append(None)
            return
        likeliest: dict[str, float] = {}
        # Several tokens may show the same text, such as parts of a character: the likeliest counts.
        for each, value in (*top, (text, logprob)):
            likeliest.setdefault(each, value)
        self.top_logprobs.append(likeliest)


class TextChoice(msgspec.Struct, frozen=True):
    index: int
    text: str
    finish_reason: FinishWord | None = None
    logprobs: TextLogprobs | None = None


class TextStream:
    """One answer as choices. A text has no thinking apart: what a model thinks belongs to it.

    Attributes:
        usage: what it took.
    """

    def __init__(
        self, index: int, *, begins_with: str, with_logprobs: bool, tells_prompt: bool = False
    ) -> None:
        """`begins_with` is the prompt where it is to be repeated. `tells_prompt`: the model tells it."""
        self._index = index
        self._begins_with = begins_with
        self._tells_prompt = tells_prompt
        self._text: list[str] = [begins_with]
        self._offset = len(begins_with)
        self._logprobs = TextLogprobs() if with_logprobs else None
        self._finish: FinishWord = "stop"
        self.usage = Usage()

    def opening(self) -> TextChoice | None:
        """The prompt, where it is to be repeated."""
        return TextChoice(self._index, self._begins_with) if self._begins_with else None

    def feed(self, event: Event) -> TextChoice | None:
        match event:
            case TextDelta(text) | ReasoningDelta(text):
                self._text.append(text)
                return TextChoice(self._index, text)
            case PromptEcho():
                return self._echo(event)
            case Logprobs(tokens) if self._logprobs is not None:
                come = TextLogprobs()
                for token in tokens:
                    come.note(token.text, self._offset, token.logprob, token.top)
                    self._offset += len(token.text)
                self._logprobs.add(come)
                return TextChoice(self._index, "", logprobs=come)
            case Finished():
                self.usage = event.usage
                self._finish = "length" if event.reason == "length" else "stop"
                return TextChoice(self._index, "", self._finish)
        return None

    def whole(self) -> TextChoice:
        return TextChoice(self._index, "".join(self._text), self._finish, self._logprobs)

    def _echo(self, echo: PromptEcho) -> TextChoice | None:
        text = echo.text if self._tells_prompt else ""
        if text:
            self._text.append(text)
            self._offset += len(text)
        come: TextLogprobs | None = None
        if self._logprobs is not None:
            come = TextLogprobs()
            for token in echo.tokens:
                come.note(token.text, token.offset, token.logprob, token.top)
            self._logprobs.add(come)
        return TextChoice(self._index, text, logprobs=come) if text or come else None
