"""The course of one request, from its prompt to its last event."""

import secrets
import time
from collections.abc import Callable, Sequence

from backends.errors import BackendError
from backends.llama_cpp.answer_text import AnswerText
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.echo import Echo
from backends.llama_cpp.grammar import CompiledGrammar
from backends.llama_cpp.live import Live
from backends.llama_cpp.logprobs import Logits
from backends.llama_cpp.lookup import PromptLookup, usual_steps
from backends.llama_cpp.model import Model
from backends.llama_cpp.parked import StackKey
from backends.llama_cpp.prompt import Prompt
from backends.llama_cpp.reading_plan import plan_for
from backends.llama_cpp.sampling import Chooser
from backends.llama_cpp.tool_grammar import begun_call_grammar
from backends.protocol import (
    ChatRequest,
    Event,
    Finished,
    FinishReason,
    HistoryTrimmed,
    Logprobs,
    PromptProgress,
    Timings,
    Usage,
)
from backends.reasoning import ReasoningSplitter
from backends.tool_calls.call_format import CallFormat
from backends.tool_calls.splitter import ToolCallSplitter

_SEEDS = 2**31

Reply = Callable[[Event | BackendError], None]


class Running:
    """One answer in the making: what is to be evaluated for it, and what came of it so far.

    Attributes:
        tokens: Of the prompt and the answer.
        live: The sequence that they are evaluated in, while there is one.
        is_suspect: Whether it may be to blame for a computation that gave no numbers.
        prompt_answers: Earlier answers that the prompt holds.
        plan: How to read the prompt while no other runs; None where the answer is left to chance.
    """

    def __init__(
        self,
        job: int,
        request: ChatRequest,
        prompt: Prompt,
        key: StackKey,
        *,
        model: Model,
        answers: GivenAnswers,
        grammar: CompiledGrammar | None,
        reply: Reply,
    ) -> None:
        self.job = job
        self.key = key
        self.prompt_answers = prompt.answers
        self.tokens = list(prompt.tokens)
        self.live: Live | None = None
        self.plan = plan_for(request.sampling, prompt.tokens, model.is_end)
        self.is_suspect = False
        self._request = request
        self._reply = reply
        self._n_prompt = len(prompt.tokens)
        self._cached = -1
        self._seed = request.sampling.seed
        if self._seed < 0:
            self._seed = secrets.randbelow(_SEEDS)
        self._model = model
        self._answers = answers
        self._call_format = prompt.call_format if grammar is None else None
        self._watches_call = True
        self._chooser = Chooser(
            model,
            request.sampling,
            self._seed,
            prompt.tokens,
            grammar=grammar,
            held_later=self._call_format is not None,
            logprobs=request.logprobs,
        )
        # What follows a bare prompt is text as it comes, its white space included.
        goes_on = request.continue_last or request.prompt is not None
        self._text = AnswerText(
            ReasoningSplitter(prompt.opened, goes_on=goes_on),
            request.stop,
            ToolCallSplitter(
                prompt.call_format,
                request.tools,
                several=request.parallel_tool_calls,
                bound=request.tool_call_deltas
                and request.tool_choice == "required"
                and grammar is not None,
            )
            if prompt.call_format
            else None,
        )
        self._started = time.perf_counter()
        self._prompt_done = 0.0
        self._first_token = 0.0
        self._lookup = PromptLookup(prompt.tokens) if request.lookup else None
        self._echo: Echo | None = None
        if prompt.left_out:
            reply(HistoryTrimmed(prompt.left_out))
        if request.echo and request.prompt is not None:
            self._echo = Echo(model, request.prompt, prompt.tokens, request.logprobs)
            reply(self._echo.beginning())

    @property
    def is_background(self) -> bool:
        """Whether it lets others go first."""
        return self._request.background

    @property
    def n_pending(self) -> int:
        """Tokens that are not evaluated yet."""
        return len(self.tokens) - (len(self.live.tokens) if self.live else 0)

    @property
    def generates(self) -> bool:
        """Whether the prompt is read, and each evaluation brings a token."""
        return bool(self._prompt_done) and self.n_pending == 1

    @property
    def is_scored(self) -> bool:
        """Whether the logits of all the tokens that it reads next are wanted."""
        return self._echo is not None and self._echo.is_scored and not self._echo.is_done

    @property
    def most_known(self) -> int | None:
        """Tokens that need no evaluation, if they are known; None: as many as there are."""
        return self._echo.told - 1 if self.is_scored and self._echo is not None else None

    @property
    def before_last(self) -> int:
        """The length of the prompt without its last token, which must be evaluated in any case."""
        return self._n_prompt - 1

    @property
    def _n_answered(self) -> int:
        return len(self.tokens) - self._n_prompt

    def begin(self, live: Live) -> None:
        """Go on in a sequence, which holds a part of the tokens."""
        self.live = live
        if self._cached < 0:
            self._cached = len(live.tokens)
            self.tell_progress()

    def tell_progress(self) -> None:
        """Say how much of the prompt is read, unless it was read before."""
        if self._prompt_done or self.live is None:
            return
        done = len(self.live.tokens)
        if done == self._n_prompt:
            self._prompt_done = time.perf_counter()
        self._reply(PromptProgress(done=done, total=self._n_prompt, cached=self._cached))

    def note_read(self, place: int, count: int, logits_of: Callable[[int], Logits]) -> None:
        """Tell what `count` evaluated tokens say of those after them, from their place in the batch."""
        if self._echo is not None and self.live is not None:
            start = len(self.live.tokens) - count
            self._reply(self._echo.read(start, count, lambda i: logits_of(place + i)))

    def draft(self, most: int) -> Sequence[int]:
        """A guess of so many tokens at most that come after those that are known."""
        if self._lookup is None:
            return ()
        if self._request.max_tokens >= 0:
            most = min(most, self._request.max_tokens - self._n_answered - 1)
        return self._lookup.draft(most)

    def note_draft(self, drafted: int, accepted: int, seconds: float) -> None:
        """Tell what came of a guess, and how long that step took."""
        if self._lookup is not None:
            # How many tokens are computed at once must not depend on how quick that was the last time.
            elapsed = seconds if self.plan is None else usual_steps(drafted)
            self._lookup.note(drafted, accepted, elapsed)

    def choose(self, context_handle: object, index: int) -> FinishReason | None:
        """Choose the next token by the logits at that place; the reason, if it ends the answer.

        Raises BadGrammar.
        """
        if self._request.max_tokens == 0:
            return "length"
        token = self._chooser.choose(context_handle, index, constrained=not self._text.is_thinking)
        self._first_token = self._first_token or time.perf_counter()
        logprobs = self._chooser.take_logprobs()
        if self._model.is_end(token):
            if logprobs and self._request.echo:  # who scores a prompt counts its entries
                self._reply(Logprobs(logprobs))
            return "stop"
        self.tokens.append(token)
        if self._lookup:
            self._lookup.feed(token)
        if logprobs:
            self._reply(Logprobs(logprobs))
        for event in self._text.feed(self._model.piece(token)):
            self._reply(event)
        if self._text.stopped:
            return "stop"
        if self._call_format is not None:
            self._hold_call(self._call_format)
        return "length" if self._n_answered == self._request.max_tokens else None

    def finish(self, reason: FinishReason) -> None:
        """Say the last of it."""
        for event in self._text.finish():
            self._reply(event)
        self._remember()
        usage = Usage(
            prompt_tokens=self._n_prompt,
            cached_tokens=max(0, self._cached),
            completion_tokens=self._n_answered,
        )
        self._reply(usage)
        self._reply(
            Finished(
                reason,
                usage=usage,
                timings=self._timings(),
                seed=self._seed,
                stop_text=self._text.stop_text,
            )
        )
        self._chooser.close()

    def fail(self, error: BackendError) -> None:
        self._reply(error)
        self._chooser.close()

    def _hold_call(self, form: CallFormat) -> None:
        """Hold a call that has begun to what can be called, as long as it lasts."""
        begun = self._text.begun_call
        if not begun:
            self._chooser.release()
            self._watches_call = True
        elif self._watches_call:
            grammar = begun_call_grammar(self._request, form, begun)
            if grammar is not None:
                self._watches_call = False
                tokens = self._answers.ending(begun, self.tokens[self._n_prompt :])
                if (
                    tokens
                    and self._chooser.hold(grammar, tokens)
                    and self._request.tool_call_deltas
                ):
                    self._text.bind_call()

    def _remember(self) -> None:
        if not self._request.messages:
            return
        last = self._request.messages[-1] if self._request.continue_last else None
        generated = self.tokens[self._n_prompt :]
        for start, part in (
            (last.reasoning if last else "", self._text.reasoning),
            (last.content if last else "", self._text.text),
            *(("", call) for call in self._text.calls),
        ):
            kept = self._answers.remember_part(start, part, generated)
            if kept is not None and self.live is not None:
                self.live.answers += (kept,)

    def _timings(self) -> Timings:
        now = time.perf_counter()
        prompt_done = self._prompt_done or now
        seconds = now - prompt_done
        return Timings(
            prompt_ms=(prompt_done - self._started) * 1000,
            first_token_ms=((self._first_token or now) - self._started) * 1000,
            generation_ms=seconds * 1000,
            tokens_per_second=self._n_answered / seconds if seconds > 0 else 0.0,
        )
