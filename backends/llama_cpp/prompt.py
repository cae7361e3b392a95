"""Which messages fit in the context, and the tokens they come to.

The policy: the system prompt and the newest exchanges stay, whole exchanges leave from the oldest
on, and room for an answer is kept free. Exchanges leave in steps of a quarter of the context, so
that the prompt keeps its beginning, and its evaluation, for many turns. What leaves depends only on
the messages, so the same conversation gives the same prompt again.
"""

import functools
from collections.abc import Iterator, Sequence

import msgspec

from backends.errors import PromptTooLong
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.model import Model
from backends.llama_cpp.state_format import Answer
from backends.llama_cpp.templates import (
    Template,
    TemplateFailed,
    fallback_template,
    fallback_warning,
)
from backends.protocol import ChatRequest, Message
from backends.reasoning import REASONING_TAGS, closing_tag, opened_tag

_STEP_SHARE = 4
_LEAST_ROOM = 64
_TOKENS_AROUND_MESSAGE = 8
_REMEMBERED_LENGTHS = 8192
_DEFAULT_TAG = REASONING_TAGS[0][0]


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt, ready to be evaluated. `opened` is the reasoning tag that it leaves open.

    `answers` are those of earlier answers that it holds as they were given.
    """

    tokens: list[int]
    answers: tuple[Answer, ...] = ()
    opened: str = ""
    left_out: int = 0
    warning: str = ""


class PromptWriter:
    """Writes prompts for one model and context length."""

    def __init__(self, model: Model, template: Template, answers: GivenAnswers, n_ctx: int) -> None:
        self._model = model
        self._template = template
        self._answers = answers
        self._n_ctx = n_ctx
        self._length = functools.lru_cache(_REMEMBERED_LENGTHS)(self._count)

    def write(self, request: ChatRequest) -> Prompt:
        """Raises PromptTooLong when the newest exchange alone leaves no room for an answer."""
        messages = list(request.messages)
        beginning = messages.pop() if request.continue_last and messages else None
        system = messages[:1] if messages and messages[0].role == "system" else []
        exchanges = _exchanges(messages[len(system) :])
        room = self._room(request.max_tokens)
        start = self._first_that_fits(system, exchanges, beginning, room)
        while True:
            kept = [message for exchange in exchanges[start:] for message in exchange]
            prompt = self._tokens([*system, *kept], beginning)
            if len(prompt.tokens) + room <= self._n_ctx:
                break
            if start >= len(exchanges) - 1:
                self._check_newest(len(prompt.tokens), room)
                break
            start += 1
        left_out = sum(len(exchange) for exchange in exchanges[:start])
        return msgspec.structs.replace(prompt, left_out=left_out)

    def count(self, messages: Sequence[Message]) -> int:
        """Tokens of all the messages as a prompt, whether they fit or not."""
        return len(self._tokens(messages, None).tokens)

    def _room(self, max_tokens: int) -> int:
        share = self._n_ctx // _STEP_SHARE
        return min(max_tokens, share) if max_tokens >= 0 else share

    def _check_newest(self, length: int, room: int) -> None:
        if length + min(room, _LEAST_ROOM) > self._n_ctx:
            raise PromptTooLong(
                "The message is too long for the model's context.",
                f"With the system prompt it comes to {length:,} tokens and the context holds "
                f"{self._n_ctx:,}; earlier messages are left out already.",
                "Shorten it, or set a longer context length.",
            )

    def _first_that_fits(
        self,
        system: Sequence[Message],
        exchanges: Sequence[Sequence[Message]],
        beginning: Message | None,
        room: int,
    ) -> int:
        """The exchange to start from, by the lengths of the single messages."""
        frame = [*system, Message(role="user", content="")]
        lengths = [sum(map(self._message_length, exchange)) for exchange in exchanges]
        needed = len(self._tokens(frame, beginning).tokens) + sum(lengths) + room
        step = max(1, self._n_ctx // _STEP_SHARE)
        to_drop = -(-(needed - self._n_ctx) // step) * step
        start = 0
        while to_drop > 0 and start < len(exchanges) - 1:
            to_drop -= lengths[start]
            start += 1
        return start

    def _message_length(self, message: Message) -> int:
        return self._length(message.content) + _TOKENS_AROUND_MESSAGE

    def _count(self, content: str) -> int:
        return len(self._model.tokenize(content))

    def _tokens(self, messages: Sequence[Message], beginning: Message | None) -> Prompt:
        text, warning = self._render(messages)
        opened = opened_tag(text)
        contents = list(_contents(messages))
        if beginning is not None:
            started, opened = _start_answer(beginning, opened)
            text += started
            contents += _contents([beginning])
        tokens = self._answers.tokenize(text, contents) or self._model.tokenize("\n")
        answers = self._answers.given(contents)
        return Prompt(tokens=tokens, answers=answers, opened=opened, warning=warning)

    def _render(self, messages: Sequence[Message]) -> tuple[str, str]:
        try:
            return self._template.render(messages), ""
        except TemplateFailed as error:
            fallback = fallback_template(self._model)
            return fallback.render(messages), fallback_warning(error, fallback)


def _exchanges(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages in groups, each from a question up to the next one."""
    groups: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups


def _contents(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        yield message.reasoning
        yield message.content


def _start_answer(beginning: Message, opened: str) -> tuple[str, str]:
    """The text that an answer begins with, nothing closed, and the reasoning tag it leaves open."""
    if not beginning.reasoning and not opened:
        return beginning.content, ""
    text = "" if opened else f"{_DEFAULT_TAG}\n"
    tag = opened or _DEFAULT_TAG
    text += beginning.reasoning
    if not beginning.content:
        return text, tag
    return f"{text}\n{closing_tag(tag)}\n\n{beginning.content}", ""
