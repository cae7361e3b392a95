"""A context that reads whole texts and gives a vector of each, keeping nothing."""

from array import array
from collections.abc import Sequence

import llama_cpp.llama_cpp as native

from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.context import Aborted, DecodeFailed, flash_attention
from backends.llama_cpp.loaded_model import LoadedModel
from backends.llama_cpp.native_log import load_failure
from backends.protocol import LoadOptions

MOST_TEXTS = 32
"""At once."""

_STEP = 256  # llama.cpp gives up where its texts at once don't divide the tokens
_ABORTED = 2


class PooledContext:
    """Close it: a longer text needs another one.

    Attributes:
        n_tokens: Of all texts that are read at once.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        options: LoadOptions,
        *,
        n_tokens: int,
        pooling: int,
        abort: AbortFlag,
    ) -> None:
        """Room for so many tokens at least. Raises OutOfMemory or ModelLoadError."""
        n_tokens = -(-n_tokens // _STEP) * _STEP
        model = loaded.model
        params = native.llama_context_default_params()
        # Where every token sees all the others, they are one micro-batch.
        params.n_ctx = params.n_batch = params.n_ubatch = n_tokens
        params.n_seq_max = MOST_TEXTS
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = loaded.n_threads
        params.no_perf = True
        params.embeddings = True
        params.pooling_type = pooling
        params.flash_attn_type = flash_attention(options, in_one_batch=True)
        self._handle = native.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise load_failure(model.path)
        native.llama_set_abort_callback(self._handle, abort.callback, abort.data)
        self.n_tokens = n_tokens
        self._check = loaded.machines.check
        self._n_embd = model.n_embd
        self._compute = native.llama_encode if model.has_encoder else native.llama_decode
        self._memory = native.llama_get_memory(self._handle)
        self._batch = native.llama_batch_init(n_tokens, 0, 1)

    def vectors(self, texts: Sequence[Sequence[int]]) -> "list[array[float]]":
        """Of so many texts, which together have no more tokens than there is room for.

        Raises Aborted or DecodeFailed.
        """
        batch = self._batch
        i = 0
        for slot, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[i] = token
                batch.pos[i] = position
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = slot
                batch.logits[i] = True
                i += 1
        batch.n_tokens = i
        try:
            result = self._compute(self._handle, batch)
            if result == _ABORTED:
                raise Aborted
            if result != 0:
                raise DecodeFailed(f"llama.cpp returned {result}")
            self._check()
            return [self._vector(slot) for slot in range(len(texts))]
        finally:
            if self._memory:
                native.llama_memory_clear(self._memory, False)

    def close(self) -> None:
        if self._handle:
            native.llama_batch_free(self._batch)
            native.llama_free(self._handle)
            self._handle = None

    def _vector(self, slot: int) -> "array[float]":
        values = native.llama_get_embeddings_seq(self._handle, slot)
        return array("f", values[: self._n_embd])
