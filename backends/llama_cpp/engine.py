"""A model, loaded, tested and ready to answer."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from backends.errors import ModelLoadError
from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.adapters import Adapters
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.context import Context, Piece, wanted_context
from backends.llama_cpp.devices import devices, has_graphics_card
from backends.llama_cpp.engine_version import engine_version
from backends.llama_cpp.fingerprint import model_fingerprint
from backends.llama_cpp.grammar import compile_grammar
from backends.llama_cpp.model import Model
from backends.llama_cpp.model_parts import parts_of
from backends.llama_cpp.native_log import context_bytes
from backends.llama_cpp.offload import layers_that_fit
from backends.llama_cpp.parked import ParkedStates
from backends.llama_cpp.prompt import PromptWriter
from backends.llama_cpp.remote import Machines, OnConnect
from backends.llama_cpp.running import Reply, Running
from backends.llama_cpp.scheduler import Scheduler
from backends.llama_cpp.sequences import Sequences
from backends.llama_cpp.state_files import StateFiles
from backends.llama_cpp.state_format import ModelKey
from backends.llama_cpp.templates import choose_template
from backends.llama_cpp.tool_grammar import answer_grammar
from backends.protocol import (
    Allocation,
    ChatRequest,
    LoadOptions,
    Message,
    SessionInfo,
    Warned,
)

_SELF_TEST_TOKENS = 8
_MOST_FOR_STATES = 1 << 30
_SHARE_FOR_STATES = 8


class Engine:
    """One model in one context, answering several requests at once.

    `chat` takes a request in, `step` goes on with all of them; both on one thread.
    """

    def __init__(
        self,
        path: str,
        options: LoadOptions,
        *,
        safe_mode: bool,
        abort: AbortFlag,
        on_progress: Callable[[float], None],
        on_connect: OnConnect = lambda server, reached: None,
    ) -> None:
        """Load. Raises ModelLoadError or OutOfMemory; `self_test` should follow.

        `on_connect` is told of each other machine before it is asked for anything, see `Machines`.
        """
        started = time.perf_counter()
        self._has_graphics_card = has_graphics_card()
        self._machines = Machines(options.rpc_servers, on_connect)
        self._n_threads = options.n_threads or default_threads()
        self._n_gpu_layers = options.n_gpu_layers
        if self._n_gpu_layers < 0:
            self._n_gpu_layers = layers_that_fit(Path(path), options, devices())
        self._wants_lock = options.mlock
        self._safe_mode = safe_mode
        self._model = Model(
            path,
            n_gpu_layers=self._n_gpu_layers,
            safe_mode=safe_mode,
            mmap=options.mmap,
            mlock=options.mlock,
            on_progress=on_progress,
        )
        self._context = Context(
            self._model,
            options,
            n_ctx=wanted_context(options, self._model.n_ctx_train),
            n_threads=self._n_threads,
            abort=abort,
            check=self._machines.check,
        )
        self._template, self._warning = choose_template(self._model, options.chat_template)
        self._answers = GivenAnswers(self._model)
        self._writer = PromptWriter(self._model, self._template, self._answers, self._context.n_ctx)
        self._adapters = Adapters(self._model, self._context)
        parked = ParkedStates(
            options.memory_for_states or _memory_for_states(), can_cut=self._context.can_cut
        )
        files = self._state_files(options)
        for text, tokens in files.answers() if files else ():
            self._answers.remember(text, tokens)
        self._sequences = Sequences(self._context, parked, files)
        self._scheduler = Scheduler(self._context, self._sequences, self._adapters.apply)
        self._warned: set[str] = set()
        self._load_ms = (time.perf_counter() - started) * 1000

    @property
    def info(self) -> SessionInfo:
        offloads = self._has_graphics_card or len(self._machines) > 0
        return SessionInfo(
            model=self._model.metadata("general.name") or Path(self._model.path).stem,
            n_ctx=self._context.n_ctx,
            n_ctx_train=self._model.n_ctx_train,
            n_threads=self._n_threads,
            n_gpu_layers=self._n_gpu_layers if offloads else 0,
            device=self._device(),
            template=self._template.source,
            memory_bytes=psutil.Process().memory_info().rss,
            allocated=self._allocated(),
            load_ms=self._load_ms,
            safe_mode=self._safe_mode,
            warnings=tuple(
                filter(None, (self._warning, self._context_warning(), self._lock_warning()))
            ),
        )

    @property
    def is_idle(self) -> bool:
        """Whether `step` has nothing to do."""
        return self._scheduler.is_idle

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
        self._machines.watch()

    def count(self, messages: Sequence[Message]) -> int:
        return self._writer.count(messages)

    def chat(self, job: int, request: ChatRequest, reply: Reply) -> None:
        """Take in a request; `step` replies with every event up to `Finished`, or with an error.

        Raises PromptTooLong, BadAdapter or BadGrammar.
        """
        key = self._adapters.key_of(request.adapters)
        prompt = self._writer.write(request)
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

    def cancel(self, job: int) -> None:
        """End a request; one that has ended is no matter."""
        self._scheduler.cancel(job)

    def step(self) -> None:
        """Go on with all requests by one batch."""
        self._scheduler.step()

    def close(self, seconds: float) -> None:
        """End every request as cancelled, and save what may be kept, for so long at most."""
        deadline = time.monotonic() + seconds
        self._scheduler.cancel_all()
        self._sequences.save(deadline)

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

    def _device(self) -> str:
        here = "GPU" if self._has_graphics_card and self._n_gpu_layers != 0 else "CPU"
        others = len(self._machines)
        return f"{here} and {others} other machine{'s' * (others > 1)}" if others else here

    def _allocated(self) -> Allocation:
        kv_cache, compute = context_bytes()
        return Allocation(weights=self._model.n_bytes, kv_cache=kv_cache, compute=compute)

    def _context_warning(self) -> str:
        trained = self._model.n_ctx_train
        if not 0 < trained < self._context.n_ctx:
            return ""
        return (
            f"The context is longer than the {trained:,} tokens this model was made for; "
            "far back in a long chat, answers may get worse."
        )

    def _lock_warning(self) -> str:
        if not self._wants_lock or self._model.is_locked:
            return ""
        return (
            "The system does not let the model be kept in memory, so parts of it may be swapped out. "
            "Raise the limit of locked memory, or turn “Keep in memory” off."
        )


def default_threads() -> int:
    """All the cores this process may use but one, which keeps the computer responsive."""
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    return max(1, available - 1)


def _memory_for_states() -> int:
    available: int = psutil.virtual_memory().available
    return min(_MOST_FOR_STATES, available // _SHARE_FOR_STATES)
