"""A model, loaded, tested and ready to answer."""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from backends.errors import ModelLoadError
from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.adapters import Adapters
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.context import Context, Piece, wanted_context
from backends.llama_cpp.embedding import Reply as EmbedReply
from backends.llama_cpp.embedding import Texts
from backends.llama_cpp.embedding_engine import only_embeds
from backends.llama_cpp.engine_version import engine_version
from backends.llama_cpp.fingerprint import model_fingerprint
from backends.llama_cpp.grammar import compile_grammar
from backends.llama_cpp.last_token import LastTokenVectors
from backends.llama_cpp.loaded_model import LoadedModel
from backends.llama_cpp.model_parts import parts_of
from backends.llama_cpp.parked import ParkedStates
from backends.llama_cpp.pooling import check_last_token
from backends.llama_cpp.prompt import PromptWriter
from backends.llama_cpp.running import Reply, Running
from backends.llama_cpp.scheduler import Scheduler
from backends.llama_cpp.sequences import Sequences
from backends.llama_cpp.spelling import spelled
from backends.llama_cpp.state_files import StateFiles
from backends.llama_cpp.state_format import ModelKey
from backends.llama_cpp.templates import choose_template
from backends.llama_cpp.tool_grammar import answer_grammar
from backends.protocol import (
    ApplyTemplate,
    ChatRequest,
    LoadOptions,
    Message,
    Question,
    SessionInfo,
    Spelled,
    Text,
    Warned,
)

_SELF_TEST_TOKENS = 8
_MOST_FOR_STATES = 1 << 30
_SHARE_FOR_STATES = 8


class Engine:
    """One model in one context, answering several requests at once.

    `chat` takes a request in, `step` goes on with all of them; both on one thread.
    """

    def __init__(self, loaded: LoadedModel, options: LoadOptions, *, abort: AbortFlag) -> None:
        """Raises ModelLoadError or OutOfMemory; `self_test` should follow."""
        self._loaded = loaded
        self._model = loaded.model
        self._only_embeds = options.embedding
        self._context = Context(
            self._model,
            options,
            n_ctx=wanted_context(options, self._model.n_ctx_train),
            n_threads=loaded.n_threads,
            abort=abort,
            check=loaded.machines.check,
        )
        self._template, self._warning = choose_template(self._model, options.chat_template)
        self._answers = GivenAnswers(self._model)
        self._writer = self._prompt_writer(self._answers)
        # For answers with a seed: which answers are known must not change the tokens of the prompt.
        self._writer_from_scratch = self._prompt_writer(GivenAnswers(self._model))
        self._adapters = Adapters(self._model, self._context)
        parked = ParkedStates(
            options.memory_for_states or _memory_for_states(), can_cut=self._context.can_cut
        )
        files = self._state_files(options)
        for text, tokens in files.answers() if files else ():
            self._answers.remember(text, tokens)
        self._sequences = Sequences(self._context, parked, files)
        self._scheduler = Scheduler(self._context, self._sequences, self._adapters.apply)
        self._texts = Texts(self._model, self._context.n_ctx)
        self._vectors = LastTokenVectors(
            self._texts,
            self._sequences,
            most_at_once=self._context.n_slots // 2,
            apply_stack=self._adapters.apply,
            clean=self._scheduler.clean,
        )
        self._warned: set[str] = set()
        self._load_ms = loaded.loaded_ms()

    @property
    def info(self) -> SessionInfo:
        return self._loaded.info(
            n_ctx=self._context.n_ctx,
            template=self._template.source,
            load_ms=self._load_ms,
            warnings=(self._warning, self._context_warning()),
        )

    @property
    def is_idle(self) -> bool:
        """Whether `step` has nothing to do."""
        return self._scheduler.is_idle and self._texts.is_idle

    def self_test(self) -> None:
        """Compute a little and look at the result. Raises ModelLoadError; a bad build dies here."""
        tokens = [i % self._model.n_vocab for i in range(_SELF_TEST_TOKENS)]
        for start, batch in ((0, tokens), (len(tokens), tokens[:1])):
            self._context.decode([Piece(0, start, batch)])
            if not self._context.logits_are_finite():
                raise ModelLoadError(
                    "The model gives no usable answers.",
                    "Its weights are damaged: a test computation gave numbers that are none.",
                    "Download the file again, or choose another quantization.",
                )
        self._context.clear()
        self._loaded.machines.watch()

    def count(self, messages: Sequence[Message]) -> int:
        return self._writer.count(messages)

    def spell(self, question: Question) -> Spelled:
        """Raises Unsupported."""
        if isinstance(question, ApplyTemplate):
            return Spelled(text=self._writer.text(question.request))
        return spelled(self._model, question)

    def chat(self, job: int, request: ChatRequest, reply: Reply) -> None:
        """Take in a request; `step` replies with every event up to `Finished`, or with an error.

        Raises PromptTooLong, BadAdapter, BadGrammar or Unsupported.
        """
        if self._only_embeds:
            raise only_embeds()
        key = self._adapters.key_of(request.adapters)
        from_scratch = request.sampling.seed >= 0
        prompt = (self._writer_from_scratch if from_scratch else self._writer).write(request)
        held_to, warnings = answer_grammar(request, prompt.call_format)
        grammar = compile_grammar(self._model, held_to) if held_to else None
        for warning in filter(None, (prompt.warning, *warnings)):
            if warning not in self._warned:
                self._warned.add(warning)
                reply(Warned(warning))
        self._scheduler.add(
            Running(
                job,
                request,
                prompt,
                key,
                model=self._model,
                answers=self._answers,
                grammar=grammar,
                reply=reply,
            )
        )

    def embed(self, job: int, texts: Sequence[Text], reply: EmbedReply) -> None:
        """Take texts in; `step` replies with their vectors and `Embedded`, or with an error.

        Raises Unsupported.
        """
        check_last_token(self._model)
        self._texts.add(job, texts, reply)

    def cancel(self, job: int) -> None:
        """End a request or texts; what has ended is no matter."""
        self._scheduler.cancel(job)
        self._texts.cancel(job)

    def step(self) -> None:
        """Go on with all requests by one batch, and then with some texts."""
        self._scheduler.step()
        self._vectors.step(self._scheduler.piece_tokens)

    def close(self, seconds: float) -> None:
        """End every request as cancelled, and save what may be kept, for so long at most."""
        deadline = time.monotonic() + seconds
        self._scheduler.cancel_all()
        self._texts.cancel_all()
        self._vectors.drop_all()
        self._sequences.save(deadline)

    def _prompt_writer(self, answers: GivenAnswers) -> PromptWriter:
        return PromptWriter(self._model, self._template, answers, self._context.n_ctx)

    def _state_files(self, options: LoadOptions) -> StateFiles | None:
        if options.keep is None:
            return None
        try:
            fingerprint = model_fingerprint(parts_of(Path(self._model.path)))
        except OSError:
            return None  # moved away since it was loaded
        key = ModelKey(
            model=fingerprint,
            template=options.chat_template.strip()
            or self._model.metadata("tokenizer.chat_template"),
            cache_type=self._context.cache_form,
            engine=engine_version(),
        )
        return StateFiles(
            Path(options.keep.folder),
            options.keep.limit_bytes,
            key,
            can_cut=self._context.can_cut,
        )

    def _context_warning(self) -> str:
        trained = self._model.n_ctx_train
        if not 0 < trained < self._context.n_ctx:
            return ""
        return (
            f"The context is longer than the {trained:,} tokens this model was made for; "
            "far back in a long chat, answers may get worse."
        )


def _memory_for_states() -> int:
    available: int = psutil.virtual_memory().available
    return min(_MOST_FOR_STATES, available // _SHARE_FOR_STATES)
