"""The loop from a request to its events."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backends.llama_cpp.answer_text import AnswerText
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.context import BATCH_TOKENS, Aborted, AbortFlag, Context, ContextFull
from backends.llama_cpp.model import Model
from backends.llama_cpp.prompt import PromptWriter
from backends.llama_cpp.sampling import sample, sampler_chain
from backends.llama_cpp.templates import Template
from backends.protocol import (
    ChatRequest,
    Event,
    Finished,
    FinishReason,
    HistoryTrimmed,
    Message,
    PromptProgress,
    Timings,
    Usage,
    Warned,
)
from backends.reasoning import ReasoningSplitter

_SEEDS = 2**31

Emit = Callable[[Event], None]


@dataclass
class _Course:
    """What one answer came to so far. Times are of `time.perf_counter`."""

    started: float
    prompt: Sequence[int] = ()
    cached: int = 0
    prompt_done: float = 0.0
    first_token: float = 0.0
    generated: list[int] = field(default_factory=list)

    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=len(self.prompt),
            cached_tokens=self.cached,
            completion_tokens=len(self.generated),
        )

    def timings(self) -> Timings:
        now = time.perf_counter()
        prompt_done = self.prompt_done or now
        seconds = now - prompt_done
        return Timings(
            prompt_ms=(prompt_done - self.started) * 1000,
            first_token_ms=((self.first_token or now) - self.started) * 1000,
            generation_ms=seconds * 1000,
            tokens_per_second=len(self.generated) / seconds if seconds > 0 else 0.0,
        )


class Answering:
    """Answers requests one after the other, with one model in one context."""

    def __init__(
        self, model: Model, context: Context, template: Template, abort: AbortFlag
    ) -> None:
        self._model = model
        self._context = context
        self._abort = abort
        self._answers = GivenAnswers(model)
        self._writer = PromptWriter(model, template, self._answers, context.n_ctx)
        self._warned: set[str] = set()

    def count(self, messages: Sequence[Message]) -> int:
        """Tokens that the messages come to as a prompt."""
        return self._writer.count(messages)

    def chat(self, request: ChatRequest, emit: Emit) -> None:
        """Answer, emitting every event up to `Finished`. Raises PromptTooLong."""
        course = _Course(time.perf_counter())
        prompt = self._writer.write(request)
        course.prompt = prompt.tokens
        if prompt.warning and prompt.warning not in self._warned:
            self._warned.add(prompt.warning)
            emit(Warned(prompt.warning))
        if prompt.left_out:
            emit(HistoryTrimmed(prompt.left_out))
        seed = request.sampling.seed
        if seed < 0:
            seed = secrets.randbelow(_SEEDS)
        splitter = ReasoningSplitter(prompt.opened, goes_on=request.continue_last)
        text = AnswerText(splitter, request.stop)
        try:
            self._read_prompt(course, emit)
            reason = self._generate(request, seed, course, text, emit)
        except Aborted:
            reason = "cancelled"
        for event in text.finish():
            emit(event)
        self._remember(request, course.generated, text)
        emit(course.usage())
        emit(Finished(reason, usage=course.usage(), timings=course.timings(), seed=seed))

    def _read_prompt(self, course: _Course, emit: Emit) -> None:
        total = len(course.prompt)
        done = course.cached = self._context.keep_prefix(course.prompt)
        emit(PromptProgress(done=done, total=total, cached=course.cached))
        while done < total:
            self._check_abort()
            self._context.evaluate(course.prompt[done : done + BATCH_TOKENS])
            done = min(done + BATCH_TOKENS, total)
            emit(PromptProgress(done=done, total=total, cached=course.cached))
        course.prompt_done = time.perf_counter()

    def _generate(
        self, request: ChatRequest, seed: int, course: _Course, text: AnswerText, emit: Emit
    ) -> FinishReason:
        with sampler_chain(self._model, request.sampling, seed, course.prompt) as chain:
            while request.max_tokens != 0:
                self._check_abort()
                token = sample(chain, self._context)
                course.first_token = course.first_token or time.perf_counter()
                if self._model.is_end(token):
                    return "stop"
                course.generated.append(token)
                for event in text.feed(self._model.piece(token)):
                    emit(event)
                if text.stopped:
                    return "stop"
                if len(course.generated) == request.max_tokens:
                    break
                try:
                    self._context.evaluate([token])
                except ContextFull:
                    return "length"
        return "length"

    def _check_abort(self) -> None:
        if self._abort.is_set:
            raise Aborted

    def _remember(self, request: ChatRequest, generated: Sequence[int], text: AnswerText) -> None:
        beginning = request.messages[-1] if request.continue_last else None
        for start, part in (
            (beginning.reasoning if beginning else "", text.reasoning),
            (beginning.content if beginning else "", text.text),
        ):
            tokens = self._tokens_of(part, generated)
            if tokens:
                self._answers.remember(start + part, [*self._answers.tokens_of(start), *tokens])

    def _tokens_of(self, part: str, generated: Sequence[int]) -> Sequence[int]:
        """The generated tokens that a part of the answer consists of; none if it cuts through one."""
        pieces = [self._model.piece(token) for token in generated]
        edges = {0: 0}
        position = 0
        for i, piece in enumerate(pieces, start=1):
            position += len(piece)
            edges[position] = i
        data, raw = part.encode(), b"".join(pieces)
        start = raw.find(data)
        end = start + len(data)
        # A token may begin with white space that is not shown at the start of an answer.
        first = max((edge for edge in edges if edge <= start), default=0)
        if start < 0 or end not in edges or raw[first:start].strip():
            return ()
        return generated[edges[first] : edges[end]]
