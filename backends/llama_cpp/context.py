"""The memory of one model, and the one token sequence that lies in it."""

import ctypes
import math
import sys
from collections.abc import Sequence

import llama_cpp.llama_cpp as native
import psutil

from backends.errors import OutOfMemory
from backends.llama_cpp.model import Model
from backends.llama_cpp.native_log import load_failure

BATCH_TOKENS = 512
_STEP = 256  # context lengths come in steps of this
_NO_SLOT, _ABORTED = 1, 2


class Aborted(Exception):
    """The computation was aborted by `AbortFlag.set`; the sequence is as it was before."""


class ContextFull(Exception):
    """There is no room for more tokens; the sequence is as it was before."""


class DecodeFailed(Exception):
    """llama.cpp refused a batch; the sequence is as it was before."""


class AbortFlag:
    """Stops a running computation from another thread.

    llama.cpp asks a callback before each node of its graph, 605 times per token of a 30-layer model.
    A Python function there would need the interpreter lock each time, and wait whenever the thread
    that reads orders holds it; so the callback is the C library's `strlen`, and the flag a text
    whose length is 0 or 1.
    """

    def __init__(self) -> None:
        library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        strlen = ctypes.cast(library.strlen, ctypes.c_void_p)
        self.callback = native.ggml_abort_callback(strlen.value or 0)
        self._text = (ctypes.c_char * 2)()
        self.data = ctypes.cast(self._text, ctypes.c_void_p)

    def set(self) -> None:
        self._text[0] = b"\x01"

    def clear(self) -> None:
        self._text[0] = b"\x00"

    @property
    def is_set(self) -> bool:
        return bool(self._text[0] != b"\x00")


class Context:
    """Evaluates tokens one after the other. `tokens` are those whose state is in memory.

    It lives as long as its process: a worker ends without clean-up.
    """

    def __init__(self, model: Model, *, n_ctx: int, n_threads: int, abort: AbortFlag) -> None:
        """Raises OutOfMemory or ModelLoadError."""
        # llama.cpp rounds up too, but bounds a batch by the number it is given, and then aborts.
        n_ctx = -(-n_ctx // _STEP) * _STEP
        params = native.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_threads = params.n_threads_batch = n_threads
        params.no_perf = True
        if not native.llama_supports_gpu_offload():
            # On a processor it slows long chats down.
            params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if model.kv_cache_bytes(n_ctx) > psutil.virtual_memory().total:
            # llama.cpp would try, and the system would come to a halt before it gave up.
            raise OutOfMemory(
                "The context does not fit in memory.",
                f"{n_ctx:,} tokens need more memory than this computer has.",
                "Set a shorter context length.",
            )
        self.handle = native.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise load_failure(model.path)
        native.llama_set_abort_callback(self.handle, abort.callback, abort.data)
        self._abort = abort
        self._memory = native.llama_get_memory(self.handle)
        self._n_vocab = model.n_vocab
        self.n_ctx: int = native.llama_n_ctx(self.handle)
        self.tokens: list[int] = []
        self._batch = native.llama_batch_init(BATCH_TOKENS, 0, 1)
        for i in range(BATCH_TOKENS):
            self._batch.n_seq_id[i] = 1
            self._batch.seq_id[i][0] = 0

    def keep_prefix(self, prompt: Sequence[int]) -> int:
        """Forget what differs from the prompt; return how many of its tokens need no evaluation.

        At least the last one is left to evaluate, since its logits are wanted.
        """
        common = 0
        for held, wanted in zip(self.tokens, prompt[:-1], strict=False):
            if held != wanted:
                break
            common += 1
        self._truncate(common)
        return len(self.tokens)

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Evaluate up to `BATCH_TOKENS` more tokens; the logits of the last one can be sampled.

        Raises Aborted, ContextFull or DecodeFailed, after which `tokens` holds what it held before
        (or nothing, for a model whose state can't be cut).
        """
        batch, count, start = self._batch, len(tokens), len(self.tokens)
        if start + count > self.n_ctx:
            raise ContextFull
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = start + i
            batch.logits[i] = 0
        batch.logits[count - 1] = 1
        batch.n_tokens = count
        result = native.llama_decode(self.handle, batch)
        if result == 0:
            self.tokens.extend(tokens)
            return
        # Parts of the batch may have been evaluated, and must not be found there later.
        self._cut_memory(start)
        if result == _ABORTED:
            raise Aborted
        if result == _NO_SLOT:
            raise ContextFull
        raise DecodeFailed(f"llama_decode returned {result}")

    def logits_are_finite(self) -> bool:
        logits = native.llama_get_logits_ith(self.handle, -1)
        return math.isfinite(sum(logits[: self._n_vocab]))

    def clear(self) -> None:
        native.llama_memory_clear(self._memory, True)
        self.tokens.clear()

    def _truncate(self, length: int) -> None:
        if length < len(self.tokens):
            self._cut_memory(length)

    def _cut_memory(self, length: int) -> None:
        if native.llama_memory_seq_rm(self._memory, 0, length, -1):
            del self.tokens[length:]
        else:
            # Recurrent and sliding-window models can't go back: start over.
            self.clear()
