"""An answer of /v1/completions, whole and in pieces."""

from typing import Literal

import msgspec

from backends.protocol import (
    Event,
    Finished,
    Logprobs,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    Usage,
)

FinishWord = Literal["stop", "length"]


class TextLogprobs(msgspec.Struct, frozen=True):
    """One entry a token in each; `text_offset` counts characters of the choice's whole text."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


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

    def __init__(self, index: int, *, begins_with: str, with_logprobs: bool) -> None:
        self._index = index
        self._begins_with = begins_with
        self._with_logprobs = with_logprobs
        self._text: list[str] = [begins_with]
        self._logprobs: list[TokenLogprob] = []
        self._offset = len(begins_with)
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
            case Logprobs(tokens) if self._with_logprobs:
                before = self._offset
                self._logprobs.extend(tokens)
                self._offset += sum(len(each.text) for each in tokens)
                return TextChoice(self._index, "", logprobs=_logprobs(tokens, before))
            case Finished():
                self.usage = event.usage
                self._finish = "length" if event.reason == "length" else "stop"
                return TextChoice(self._index, "", self._finish)
        return None

    def whole(self) -> TextChoice:
        logprobs = None
        if self._with_logprobs:
            logprobs = _logprobs(tuple(self._logprobs), len(self._begins_with))
        return TextChoice(self._index, "".join(self._text), self._finish, logprobs)


def _logprobs(tokens: tuple[TokenLogprob, ...], offset: int) -> TextLogprobs:
    offsets = []
    for each in tokens:
        offsets.append(offset)
        offset += len(each.text)
    return TextLogprobs(
        [each.text for each in tokens],
        [each.logprob for each in tokens],
        [dict(each.top) for each in tokens],
        offsets,
    )
