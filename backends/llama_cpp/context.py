"""The memory of one model, in which the tokens of several sequences lie side by side."""

import ctypes
import itertools
import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import llama_cpp.llama_cpp as native
import numpy as np
import psutil

from backends.errors import ModelLoadError, OutOfMemory
from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.devices import has_graphics_card
from backends.llama_cpp.logprobs import Logits
from backends.llama_cpp.model import Model, cache_bytes
from backends.llama_cpp.native_log import load_failure
from backends.llama_cpp.state_format import Payload
from backends.protocol import DEFAULT_CONTEXT, LoadOptions

BATCH_TOKENS = 512
SLOTS = 8
"""Sequences that a context holds at once."""
RECURRENT_SLOTS = 4
"""The same where each takes memory of its own, however short it is."""

_LOGITS_BYTES = 1 << 26
"""For the logits of many tokens of one batch. llama.cpp does not give this memory back."""

_STEP = 256  # context lengths come in steps of this
_NO_SLOT, _ABORTED = 1, 2


_CACHE_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}  # GGML_TYPE_F16 and so on
CACHE_BITS = {"f16": 16.0, "q8_0": 8.5, "q4_0": 4.5}
"""Of each value in the cache."""


def wanted_context(options: LoadOptions, n_ctx_train: int) -> int:
    """Tokens, for a model that was made for so many; 0 where it does not say."""
    return options.n_ctx or min(n_ctx_train or DEFAULT_CONTEXT, DEFAULT_CONTEXT)


class Aborted(Exception):
    """The computation was aborted by `AbortFlag.set`."""


class ContextFull(Exception):
    """There is no room for so many more tokens."""


class DecodeFailed(Exception):
    """llama.cpp refused a batch."""


class NotNumbers(Exception):
    """What was computed is of no use, as are the cells it lies in: it is no numbers."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens to evaluate: the next ones of a slot, whose first position is `start`.

    The logits are wanted of the last `n_logits` of them.
    """

    slot: int
    start: int
    tokens: Sequence[int]
    n_logits: int = 1


class Context:
    """Evaluates tokens. A slot is a place for one sequence; slots may share what they begin with.

    Attributes:
        n_ctx: Tokens that all sequences together can have; those that they share count once.
        n_batch: Tokens that can be evaluated at once.
        n_logits: How many tokens of a batch may have logits, besides the last of each sequence.
        n_slots: Sequences that it holds.
        can_cut: Whether a sequence can be cut back to an earlier token.
        abort: What stops a computation.
        cache_form: What the bytes of a state depend on.

    It lives as long as its process: a worker ends without clean-up.
    """

    def __init__(
        self,
        model: Model,
        options: LoadOptions,
        *,
        n_ctx: int,
        n_threads: int,
        abort: AbortFlag,
        check: Callable[[], None],
    ) -> None:
        """`check` raises where what was evaluated is not to be trusted.

        Of the options, those of cache and attention count here. Raises OutOfMemory or ModelLoadError.
        """
        # llama.cpp rounds up too, but bounds a batch by the number it is given, and then aborts.
        n_ctx = -(-n_ctx // _STEP) * _STEP
        self.can_cut = not model.is_recurrent
        self.n_slots = SLOTS if self.can_cut else RECURRENT_SLOTS
        params = native.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_seq_max = self.n_slots
        params.kv_unified = True
        params.pooling_type = native.LLAMA_POOLING_TYPE_NONE
        params.n_threads = params.n_threads_batch = n_threads
        params.no_perf = True
        flash = flash_attention(options)
        params.flash_attn_type = flash
        params.type_k = params.type_v = _CACHE_TYPES[options.cache_type]
        if (
            cache_bytes(model.handle, n_ctx, CACHE_BITS[options.cache_type])
            > psutil.virtual_memory().total
        ):
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
        self._check = check
        self.abort = abort
        self.cache_form = f"{options.cache_type}, flash attention {flash}"
        self._memory = native.llama_get_memory(self.handle)
        if not self._memory:
            raise cannot_chat()
        self._n_vocab = model.n_vocab
        self._n_embd = model.n_embd
        self.n_ctx: int = native.llama_n_ctx(self.handle)
        self.n_batch: int = min(BATCH_TOKENS, self.n_ctx)
        self.n_logits = most_logits(self._n_vocab)
        self._batch = native.llama_batch_init(BATCH_TOKENS, 0, 1)
        for i in range(BATCH_TOKENS):
            self._batch.n_seq_id[i] = 1

    def decode(self, pieces: Sequence[Piece]) -> None:
        """Evaluate up to `n_batch` tokens; a token's logits are found by its place among them.

        Raises Aborted, ContextFull or DecodeFailed, after which parts of the pieces may be in memory:
        `cut` their slots.
        """
        batch = self._batch
        i = 0
        for piece in pieces:
            first_wanted = len(piece.tokens) - piece.n_logits
            for offset, token in enumerate(piece.tokens):
                batch.token[i] = token
                batch.pos[i] = piece.start + offset
                batch.seq_id[i][0] = piece.slot
                batch.logits[i] = offset >= first_wanted
                i += 1
        batch.n_tokens = i
        result = native.llama_decode(self.handle, batch)
        if result == _ABORTED:
            raise Aborted
        if result == _NO_SLOT:
            raise ContextFull
        if result != 0:
            raise DecodeFailed(f"llama_decode returned {result}")
        self._check()

    def vectors(self, pieces: Sequence[Piece]) -> "list[array[float]]":
        """Evaluate like `decode`, and return what the model makes of each piece's last token.

        The scores of all tokens are computed for that, which takes memory: give it short pieces.
        """
        native.llama_set_embeddings(self.handle, True)
        try:
            self.decode(pieces)
            ends = itertools.accumulate(len(piece.tokens) for piece in pieces)
            return [self._vector(end - 1) for end in ends]
        finally:
            native.llama_set_embeddings(self.handle, False)

    def _vector(self, index: int) -> "array[float]":
        values = native.llama_get_embeddings_ith(self.handle, index)
        return array("f", values[: self._n_embd])

    def cut(self, slot: int, length: int) -> bool:
        """Forget all but the first tokens of a slot; False if that can't be, and all is forgotten."""
        if native.llama_memory_seq_rm(self._memory, slot, length, -1):
            return True
        self.empty(slot)
        return False

    def empty(self, slot: int) -> None:
        native.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def copy(self, source: int, target: int, length: int) -> None:
        """Let an empty slot share the first tokens of another; all of them where it can't be cut."""
        end = length if self.can_cut else -1
        native.llama_memory_seq_cp(self._memory, source, target, -1, end)

    def state(self, slot: int) -> bytearray:
        """What a slot holds, to be kept elsewhere."""
        size = native.llama_state_seq_get_size(self.handle, slot)
        state = bytearray(size)
        buffer = (ctypes.c_uint8 * size).from_buffer(state)
        native.llama_state_seq_get_data(self.handle, buffer, size, slot)
        return state

    def restore(self, slot: int, state: Payload) -> bool:
        """Fill an empty slot with what `state` gave; False if there is no room, and it stays empty."""
        if isinstance(state, bytearray):
            held: object = (ctypes.c_uint8 * len(state)).from_buffer(state)
        else:
            held = ctypes.cast(ctypes.c_char_p(state), ctypes.POINTER(ctypes.c_uint8))
        if native.llama_state_seq_set_data(self.handle, held, len(state), slot):
            return True
        self.empty(slot)
        return False

    def logits(self, index: int) -> Logits:
        """Of the token at that place of the batch, until the next computation."""
        pointer = native.llama_get_logits_ith(self.handle, index)
        return np.ctypeslib.as_array(pointer, (self._n_vocab,))

    def gave_numbers(self, index: int) -> bool:
        """Whether what was computed at that place of the batch can be of use.

        What is no number in one layer makes all that comes of it none, so one logit tells.
        """
        return math.isfinite(native.llama_get_logits_ith(self.handle, index)[0])

    def logits_are_finite(self, index: int = -1) -> bool:
        logits = native.llama_get_logits_ith(self.handle, index)
        return math.isfinite(sum(logits[: self._n_vocab]))

    def clear(self, *, overwrite: bool = True) -> None:
        """Forget everything, and overwrite it. What comes next lies in the first cells."""
        native.llama_memory_clear(self._memory, overwrite)


def most_logits(n_vocab: int) -> int:
    """How many tokens of a batch may have logits, with a vocabulary of that size."""
    return max(1, _LOGITS_BYTES // (4 * max(1, n_vocab)))


def cannot_chat() -> ModelLoadError:
    return ModelLoadError(
        "This model can't chat.",
        "It reads a text and gives no text back, or needs an encoder to run first.",
        "Choose a chat model.",
    )


def flash_attention(options: LoadOptions, *, in_one_batch: bool = False) -> int:
    """How llama.cpp is told to compute attention. Raises ModelLoadError.

    `in_one_batch`: whole texts are read at once, and nothing is generated. It is quicker so, and the
    scores of all pairs in a long text would not fit in memory.
    """
    quantized = options.cache_type != "f16"
    if options.flash_attention == "off":
        if quantized:
            raise ModelLoadError(
                f"A cache of type {options.cache_type} can't be used without flash attention.",
                "Its values are only read by that way of computing.",
                "Set flash attention to “auto”, or the cache type to f16.",
            )
        return int(native.LLAMA_FLASH_ATTN_TYPE_DISABLED)
    if options.flash_attention == "on" or quantized:
        return int(native.LLAMA_FLASH_ATTN_TYPE_ENABLED)
    if in_one_batch or has_graphics_card() or options.rpc_servers:
        return int(native.LLAMA_FLASH_ATTN_TYPE_AUTO)
    # On a processor it slows long chats down.
    return int(native.LLAMA_FLASH_ATTN_TYPE_DISABLED)
