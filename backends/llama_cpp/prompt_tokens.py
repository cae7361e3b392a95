"""The tokens of a prompt: control tokens only where the template itself wrote them."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.model import Model
from backends.llama_cpp.state_format import Answer
from backends.tainted import answers_in, holds_answer_alone, plain, raw


class Read(msgspec.Struct, frozen=True):
    """The tokens of a prompt, and the answers that it holds as they were given."""

    tokens: list[int]
    answers: tuple[Answer, ...] = ()


class _Known(msgspec.Struct, frozen=True):
    start: int
    end: int
    tokens: Sequence[int]


def read_prompt(model: Model, answers: GivenAnswers, prompt: str, calls: Iterable[str]) -> Read:
    """Read a prompt in which what comes from messages is tainted.

    `calls` are the tool calls of its messages as texts, in their order.
    """
    text, readable = raw(prompt), plain(prompt)
    known = list(_calls_in(text, readable, answers, calls))
    known += _answers_in(text, readable, answers, [(call.start, call.end) for call in known])
    known.sort(key=lambda found: found.start)
    control = [
        _Known(found.start, found.end, (found.token,))
        for found in model.control_tokens.spelled_in(text, readable)
    ]
    has_beginning = bool(model.bos) and text.startswith(model.bos)
    tokens = [] if has_beginning else model.tokenize("", starts_prompt=True)
    position = 0
    for found in sorted((*known, *control), key=lambda found: (found.start, -found.end)):
        if found.end <= position:
            continue  # a part of a call that is known as a whole
        tokens += model.tokenize(readable[position : found.start], special=False)
        tokens += found.tokens
        position = found.end
    tokens += model.tokenize(readable[position:], special=False)
    return Read(tokens, answers.given(readable[found.start : found.end] for found in known))


def _calls_in(
    text: str, readable: str, answers: GivenAnswers, calls: Iterable[str]
) -> Iterator[_Known]:
    """Calls that are known, where the template wrote them and not a content that reads the same."""
    position = 0
    for call in calls:
        tokens = answers.known(call)
        start = readable.find(call, position) if tokens else -1
        while start >= 0 and not _is_written(text, start, call):
            start = readable.find(call, start + 1)
        if tokens and start >= 0:
            position = start + len(call)
            yield _Known(start, position, tokens)


def _is_written(text: str, start: int, call: str) -> bool:
    return text[start] == call[0] and holds_answer_alone(text[start : start + len(call)])


def _answers_in(
    text: str, readable: str, answers: GivenAnswers, taken: Sequence[tuple[int, int]]
) -> Iterator[_Known]:
    for start, end in answers_in(text):
        tokens = answers.known_text(readable[start:end])
        if tokens and not any(first <= start < last for first, last in taken):
            yield _Known(start, end, tokens)
