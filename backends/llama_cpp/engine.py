"""A model, loaded, tested and ready to answer."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from backends.errors import ModelLoadError
from backends.llama_cpp.answering import Answering
from backends.llama_cpp.context import AbortFlag, Context
from backends.llama_cpp.model import Model, offloads_to_gpu
from backends.llama_cpp.native_log import context_bytes
from backends.llama_cpp.templates import choose_template
from backends.protocol import (
    DEFAULT_CONTEXT,
    Allocation,
    ChatRequest,
    Event,
    LoadOptions,
    Message,
    SessionInfo,
)

_SELF_TEST_TOKENS = 8


class Engine:
    """One model in one context, answering one request at a time."""

    def __init__(
        self,
        path: str,
        options: LoadOptions,
        *,
        safe_mode: bool,
        abort: AbortFlag,
        on_progress: Callable[[float], None],
    ) -> None:
        """Load. Raises ModelLoadError or OutOfMemory; `self_test` should follow."""
        started = time.perf_counter()
        self._n_threads = options.n_threads or default_threads()
        self._n_gpu_layers = options.n_gpu_layers
        self._safe_mode = safe_mode
        self._model = Model(
            path, n_gpu_layers=self._n_gpu_layers, safe_mode=safe_mode, on_progress=on_progress
        )
        n_ctx_train = self._model.n_ctx_train
        self._context = Context(
            self._model,
            n_ctx=options.n_ctx or min(n_ctx_train or DEFAULT_CONTEXT, DEFAULT_CONTEXT),
            n_threads=self._n_threads,
            abort=abort,
        )
        self._template, self._warning = choose_template(self._model, options.chat_template)
        self._answering = Answering(self._model, self._context, self._template, abort)
        self._load_ms = (time.perf_counter() - started) * 1000

    @property
    def info(self) -> SessionInfo:
        gpu = offloads_to_gpu() and self._n_gpu_layers != 0
        return SessionInfo(
            model=self._model.metadata("general.name") or Path(self._model.path).stem,
            n_ctx=self._context.n_ctx,
            n_ctx_train=self._model.n_ctx_train,
            n_threads=self._n_threads,
            n_gpu_layers=self._n_gpu_layers if gpu else 0,
            device="GPU" if gpu else "CPU",
            template=self._template.source,
            memory_bytes=psutil.Process().memory_info().rss,
            allocated=self._allocated(),
            load_ms=self._load_ms,
            safe_mode=self._safe_mode,
            warnings=tuple(filter(None, (self._warning, self._context_warning()))),
        )

    def self_test(self) -> None:
        """Compute a little and look at the result. Raises ModelLoadError; a bad build dies here."""
        tokens = [i % self._model.n_vocab for i in range(_SELF_TEST_TOKENS)]
        for batch in (tokens, tokens[:1]):
            self._context.evaluate(batch)
            if not self._context.logits_are_finite():
                raise ModelLoadError(
                    "The model gives no usable answers.",
                    "Its weights are damaged: a test computation gave numbers that are none.",
                    "Download the file again, or choose another quantization.",
                )
        self._context.clear()

    def count(self, messages: Sequence[Message]) -> int:
        return self._answering.count(messages)

    def chat(self, request: ChatRequest, emit: Callable[[Event], None]) -> None:
        """Answer, emitting every event up to `Finished`. Raises PromptTooLong."""
        self._answering.chat(request, emit)

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


def default_threads() -> int:
    """All the cores this process may use but one, which keeps the computer responsive."""
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    return max(1, available - 1)
