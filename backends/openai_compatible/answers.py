"""What a service sends of an answer, chunk by chunk, as the events of the protocol."""

from collections.abc import Iterator
from typing import Any

from backends.openai_compatible.fields import at, count_at, list_at, text_at
from backends.openai_compatible.likelihoods import logprobs_in
from backends.openai_compatible.tool_calls import ToolCallParts
from backends.protocol import (
    ChatRequest,
    Event,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    Usage,
    Warned,
)
from backends.reasoning import ReasoningSplitter, opened_tag
from backends.stop_strings import StopStrings

LONGEST_TEXT = 16 << 20
"""Characters of an answer, with its thinking."""

_REASONING = ("reasoning_content", "reasoning", "thinking")
_LENGTH = ("length", "model_length", "max_tokens")
_FAILED = ("error", "insufficient_system_resource", "repetition_truncation")


class AnswerTooLong(Exception):
    """More than `LONGEST_TEXT` of an answer."""


class AnswerFailed(Exception):
    """The service says that it broke the answer off."""


class Answer:
    """Turns the chunks of one answer into events.

    Attributes:
        reason: Why the answer ended; None while the service has not said so.
        stop_text: The one of the request's stop texts that ended it, as far as known.
        has_begun: Whether anything came that a person could see.
    """

    def __init__(self, request: ChatRequest) -> None:
        self.reason: FinishReason | None = None
        self.stop_text = ""
        self.has_begun = False
        goes_on = request.continue_last or request.prompt is not None
        self._splitter = ReasoningSplitter(opened_tag(str(request.prompt or "")), goes_on=goes_on)
        self._stops = request.stop
        self._stop = StopStrings(request.stop)
        self._calls = ToolCallParts()
        self._usage: Usage | None = None
        self._pieces = 0
        self._length = 0
        self._filtered = False

    @property
    def cut(self) -> bool:
        """Whether a stop text was met here, so that nothing more is wanted of the service."""
        return bool(self._stop.found)

    @property
    def usage(self) -> Usage:
        """As the service tells it; where it does not, the pieces that came are counted."""
        if self._usage is None or (self.cut and not self._usage.completion_tokens):
            return Usage(completion_tokens=self._pieces)
        return self._usage

    def read(self, chunk: Any) -> Iterator[Event]:
        """The events of a chunk. Raises AnswerTooLong, AnswerFailed and TooManyCalls."""
        self._note_usage(chunk)
        choices = list_at(chunk, "choices")
        if not choices:
            return
        choice = choices[0]
        delta = at(choice, "delta") or at(choice, "message")
        yield from self._said(choice, delta)
        likelihoods = logprobs_in(choice)
        if likelihoods is not None:
            yield likelihoods
        self._calls.add(delta)
        yield from self._ended(choice)

    def finish(self) -> Iterator[Event]:
        """What was held back, and the calls as a whole."""
        yield from self._cut(self._splitter.finish())
        rest = self._stop.finish()
        if rest:
            self.has_begun = True
            yield TextDelta(rest)
        calls = self._calls.whole()
        self.has_begun = self.has_begun or bool(calls)
        yield from calls

    def _said(self, choice: Any, delta: Any) -> Iterator[Event]:
        thought = next((text for name in _REASONING if (text := text_at(delta, name))), "")
        content = at(delta, "content")
        said = content if isinstance(content, str) else text_at(delta, "refusal")
        said = said or text_at(choice, "text")
        for part in content if isinstance(content, list) else ():
            said += text_at(part, "text")
            thought += "".join(text_at(inner, "text") for inner in list_at(part, "thinking"))
            thought += text_at(part, "thinking")
        if thought or said or list_at(delta, "tool_calls"):
            self._pieces += 1
        self._length += len(thought) + len(said)
        if self._length > LONGEST_TEXT:
            raise AnswerTooLong
        if thought:
            self.has_begun = True
            yield ReasoningDelta(thought)
        if said:
            yield from self._cut(self._splitter.feed(said))

    def _cut(self, events: Iterator[TextDelta | ReasoningDelta]) -> Iterator[Event]:
        for event in events:
            if self.cut:
                return
            if isinstance(event, TextDelta):
                event = TextDelta(self._stop.feed(event.text))
                if found := self._stop.found:
                    self.reason, self.stop_text = "stop", found
            if event.text:
                self.has_begun = True
                yield event

    def _ended(self, choice: Any) -> Iterator[Event]:
        reason = text_at(choice, "finish_reason")
        if not reason or self.cut:
            return
        if reason in _FAILED:
            raise AnswerFailed
        self.reason = "length" if reason in _LENGTH else "stop"
        stop = text_at(choice, "stop_reason")
        self.stop_text = stop if stop in self._stops else ""
        if reason == "content_filter" and not self._filtered:
            self._filtered = True
            yield Warned("The service ended the answer here, because of its rules for content.")

    def _note_usage(self, chunk: Any) -> None:
        usage = at(chunk, "usage") or at(chunk, "x_groq.usage")
        if not isinstance(usage, dict):
            return
        cached = count_at(usage, "prompt_tokens_details.cached_tokens")
        told = Usage(
            prompt_tokens=count_at(usage, "prompt_tokens"),
            cached_tokens=cached or count_at(usage, "prompt_cache_hit_tokens"),
            completion_tokens=count_at(usage, "completion_tokens"),
        )
        if told != Usage():
            self._usage = told
