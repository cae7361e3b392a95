"""Which messages fit in the context, and the tokens they come to.

The policy: the system prompt and the newest exchange stay, and of the history as much as fits beside
a reserve for the answer. Whole exchanges leave, the oldest first. When one has to leave, others leave
with it up to an eighth of the context, so that the next turns find the prompt's beginning unchanged
and need not read all of it again. What leaves depends only on the messages, so the same conversation
gives the same prompt again.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from backends.errors import PromptTooLong
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.model import Model, least_tokens
from backends.llama_cpp.prompt_tokens import read_prompt
from backends.llama_cpp.spelling import filled_in
from backends.llama_cpp.state_format import Answer
from backends.llama_cpp.template_chat import one_call_each
from backends.llama_cpp.templates import (
    Template,
    TemplateFailed,
    fallback_template,
    fallback_warning,
)
from backends.protocol import ChatRequest, Message, Text, Tool
from backends.reasoning import REASONING_TAGS, closing_tag, opened_tag
from backends.tainted import Tainted, as_tainted, plain, raw, taint_answer
from backends.tool_calls import in_words
from backends.tool_calls.call_format import CallFormat

_STEP_SHARE = 8
_RESERVE_SHARE, _MOST_RESERVE = 4, 2048
"""What is kept free for the answer where nobody says how much."""
_LARGEST_RESERVE_SHARE = 2
_LEAST_ROOM = 64
_REMEMBERED_LENGTHS = 8192
_DEFAULT_TAG = REASONING_TAGS[0][0]


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt, ready to be evaluated. `opened` is the reasoning tag that it leaves open.

    `answers` are those of earlier answers that it holds as they were given. `call_format` is the form
    that calls of the offered tools will have; None: no tools are offered.
    """

    tokens: list[int]
    answers: tuple[Answer, ...] = ()
    opened: str = ""
    left_out: int = 0
    warning: str = ""
    call_format: CallFormat | None = None


class PromptWriter:
    """Writes prompts for one model and context length."""

    def __init__(self, model: Model, template: Template, answers: GivenAnswers, n_ctx: int) -> None:
        self._model = model
        self._template = template
        self._answers = answers
        self._n_ctx = n_ctx
        for form in filter(None, (template.call_format, in_words.FORMAT)):
            model.show(form.marks)
        self._lengths: dict[bytes, int] = {}

    def write(self, request: ChatRequest) -> Prompt:
        """Raises PromptTooLong when the newest exchange alone leaves no room for an answer."""
        if request.prompt is not None:
            return self._as_it_stands(request.prompt, request.suffix, self._room(request))
        messages = list(request.messages)
        tools = request.tools if request.tool_choice != "none" else ()
        beginning = messages.pop() if request.continue_last and messages else None
        system = messages[:1] if messages and messages[0].role == "system" else []
        exchanges = _exchanges(messages[len(system) :])
        room = self._room(request)
        newest = [
            *system,
            *(exchanges[-1] if exchanges else ()),
            *([beginning] if beginning else ()),
        ]
        self._check_least(*(message.content for message in newest))
        start = self._first_that_fits(system, exchanges, beginning, tools, room)
        while True:
            kept = [message for exchange in exchanges[start:] for message in exchange]
            prompt = self._tokens([*system, *kept], beginning, tools, request.think)
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
        return len(self._tokens(messages, None, ()).tokens)

    def text(self, request: ChatRequest) -> str:
        """All the messages as the text of a prompt, whether it fits or not."""
        messages = list(request.messages)
        beginning = messages.pop() if request.continue_last and messages else None
        tools = request.tools if request.tool_choice != "none" else ()
        return plain(self._written(messages, beginning, tools, request.think).text)

    def _as_it_stands(self, text: Text, suffix: str | None, room: int) -> Prompt:
        tokens = self._tokens_of(text, suffix)
        if len(tokens) + min(room, _LEAST_ROOM) > self._n_ctx:
            raise PromptTooLong(
                "The text is too long for the model's context.",
                f"It comes to {len(tokens):,} tokens and the context holds {self._n_ctx:,}.",
                "Shorten it, or set a longer context length.",
            )
        return Prompt(tokens=tokens)

    def _tokens_of(self, text: Text, suffix: str | None) -> list[int]:
        if not isinstance(text, str):
            self._model.check_tokens(text)
            return list(text)
        self._check_least(text, suffix or "")
        if suffix is not None:
            return filled_in(self._model, text, suffix)
        return self._model.tokenize(text, starts_prompt=True) or self._model.tokenize("\n")

    def _room(self, request: ChatRequest) -> int:
        """Tokens that are kept free for the answer."""
        if request.answer_reserve >= 0:
            reserve = min(request.answer_reserve, self._n_ctx // _LARGEST_RESERVE_SHARE)
        else:
            reserve = min(self._n_ctx // _RESERVE_SHARE, _MOST_RESERVE)
        return min(request.max_tokens, reserve) if request.max_tokens >= 0 else reserve

    def _check_least(self, *texts: str) -> None:
        """Raises PromptTooLong for what can't fit, however it is read."""
        if sum(map(least_tokens, texts)) > self._n_ctx:
            raise PromptTooLong(
                "The text is too long for the model's context.",
                f"It has {sum(map(len, texts)):,} characters, and the context holds "
                f"{self._n_ctx:,} tokens.",
                "Shorten it, or set a longer context length.",
            )

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
        tools: Sequence[Tool],
        room: int,
    ) -> int:
        """The exchange to start from, by the lengths of the single messages."""
        frame = [*system, Message(role="user", content="")]
        lengths = [sum(map(self._message_length, exchange)) for exchange in exchanges]
        needed = len(self._tokens(frame, beginning, tools).tokens) + sum(lengths) + room
        step = max(1, self._n_ctx // _STEP_SHARE)
        to_drop = -(-(needed - self._n_ctx) // step) * step
        start = 0
        while to_drop > 0 and start < len(exchanges) - 1:
            to_drop -= lengths[start]
            start += 1
        return start

    def _message_length(self, message: Message) -> int:
        length = self._length(message.content) + self._tokens_around_message
        for call in message.tool_calls:
            length += self._length(call.name + call.arguments) + self._tokens_around_message
        return length

    @functools.cached_property
    def _tokens_around_message(self) -> int:
        """What the template adds to each message."""
        question, answer = (Message(role=role, content="x") for role in ("user", "assistant"))
        exchange = self.count([question, answer, question]) - self.count([question])
        return max(0, -(-exchange // 2) - self._length("x"))

    def _length(self, text: str) -> int:
        """In tokens. Of what can't fit by itself, it is the least that it can be."""
        least = least_tokens(text)
        if least > self._n_ctx:
            return least
        # The texts themselves may be large, and would be kept alive.
        key = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        length = self._lengths.pop(key, None)
        if length is None:
            length = len(self._model.tokenize(text, special=False))
            if len(self._lengths) >= _REMEMBERED_LENGTHS:
                del self._lengths[next(iter(self._lengths))]
        self._lengths[key] = length
        return length

    def _tokens(
        self,
        messages: Sequence[Message],
        beginning: Message | None,
        tools: Sequence[Tool],
        think: bool | None = None,
    ) -> Prompt:
        text, opened, template, warning = self._written(messages, beginning, tools, think)
        form = template.call_format or in_words.FORMAT
        if template.splits_calls:
            messages = one_call_each(messages)
        calls = self._known_calls(messages, form, plain(text))
        read = read_prompt(self._model, self._answers, text, calls)
        return Prompt(
            tokens=read.tokens or self._model.tokenize("\n"),
            answers=read.answers,
            opened=opened,
            warning=warning,
            call_format=form if tools else None,
        )

    def _written(
        self,
        messages: Sequence[Message],
        beginning: Message | None,
        tools: Sequence[Tool],
        think: bool | None,
    ) -> "_Written":
        try:
            template, warning = self._template, ""
            text = _render(template, messages, tools, think)
        except TemplateFailed as error:
            template = fallback_template(self._model)
            warning = fallback_warning(error, template)
            text = _render(template, messages, tools, think)
        opened = opened_tag(raw(text))
        if beginning is not None:
            started, opened = _start_answer(beginning, opened)
            text += started
        return _Written(text, opened, template, warning)

    def _known_calls(
        self, messages: Sequence[Message], form: CallFormat, prompt: str
    ) -> Iterator[str]:
        """Calls that were given, in the order in which they are in the prompt."""
        for message in messages:
            calls = in_words.calls_of(message)
            together = form.write(calls) if calls else ""
            for written in [together, *(form.write([call]) for call in calls)]:
                if self._answers.known(written) is not None and written in prompt:
                    yield written
                    if written is together:
                        break


class _Written(NamedTuple):
    """A prompt's text, the reasoning tag that it leaves open, and whose it is."""

    text: Tainted
    opened: str
    template: Template
    warning: str


def _render(
    template: Template, messages: Sequence[Message], tools: Sequence[Tool], think: bool | None
) -> Tainted:
    if template.call_format is not None:
        return template.render(messages, tools, think)
    return template.render(in_words.in_words(messages, tools), think=think)


def _exchanges(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages in groups, each from a question up to the next one."""
    groups: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups


def _start_answer(beginning: Message, opened: str) -> tuple[Tainted, str]:
    """The text that an answer begins with, nothing closed, and the reasoning tag it leaves open."""
    content = taint_answer(beginning.content)
    if not beginning.reasoning and not opened:
        return content, ""
    tag = opened or _DEFAULT_TAG
    text = as_tainted("" if opened else f"{_DEFAULT_TAG}\n") + taint_answer(beginning.reasoning)
    if not content:
        return text, tag
    return text + f"\n{closing_tag(tag)}\n\n" + content, ""
