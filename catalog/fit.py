"""How much memory a model takes, estimated from its header before anything is loaded."""

from typing import Literal

import msgspec

from catalog.gguf_header import GgufHeader, MetadataValue

_CELLS = 256  # the cache's length is rounded up to this
_UBATCH = 512
_F16, _F32 = 2, 4
_MAX_LAYERS = 4096  # a header may claim billions

_SLIDING_PERIODS = {"gemma2": 2, "gemma3": 6, "cohere2": 4, "gpt-oss": 2, "llama4": 4}
"""In these architectures every layer but the last of so many looks back on a window only."""


CacheType = Literal["f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
Verdict = Literal["fits", "tight", "too_large"]
SpeedClass = Literal["fast", "readable", "slow"]


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of memory, free now and in all; those of a graphics card are 0 where there is none.

    `bandwidth` is how many bytes a second the processor reads from memory, 0 where not measured.
    """

    free: int
    total: int
    vram_free: int = 0
    vram_total: int = 0
    bandwidth: float = 0.0


class MemoryEstimate(msgspec.Struct, frozen=True):
    """Bytes. `kv_cache` holds what the model remembers of the chat, `compute` its scratch space."""

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.compute


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a model fits, and why. Bytes and tokens.

    `free` is what `needed` was held against. `largest_context` is the longest that fits, 0 where
    none does. `exact`: computed from the file's header, not from its size alone. `tokens_per_second` is
    what memory bandwidth admits, 0 where unknown; `speed` the same in a word.
    """

    verdict: Verdict
    parts: MemoryEstimate
    free: int
    n_ctx: int
    largest_context: int = 0
    exact: bool = False
    tokens_per_second: float = 0.0
    speed: SpeedClass | None = None

    @property
    def needed(self) -> int:
        return self.parts.total


def estimate(
    header: GgufHeader, weights_bytes: int, n_ctx: int, *, swa_full: bool = True
) -> MemoryEstimate:
    """Memory for a context of `n_ctx` tokens, one sequence, a cache in F16, no flash attention.

    `swa_full`, as llama.cpp calls it: layers that look back on a window only keep all tokens
    nevertheless, which reuse of a prompt's beginning needs. Where a header leaves something out,
    the estimate errs towards more.
    """
    kv_cache = _kv_cache(header, n_ctx, swa_full=swa_full)
    return MemoryEstimate(weights_bytes, kv_cache, _compute(header, n_ctx))


def _kv_cache(header: GgufHeader, n_ctx: int, *, swa_full: bool) -> int:
    shape = _Shape(header)
    full = _padded(n_ctx)
    windowed = _padded(min(n_ctx, shape.window + _UBATCH))
    total = 0
    for layer in range(min(header.n_layers, _MAX_LAYERS)):
        cells = windowed if shape.slides(layer) and not swa_full else full
        total += cells * shape.attention_values(layer) * _F16 + shape.recurrent_values(layer) * _F32
    return total


def _compute(header: GgufHeader, n_ctx: int) -> int:
    """Activations, the attention mask, and the scores or the logits of a batch, in the same place."""
    shape = _Shape(header)
    cells = _padded(n_ctx)
    activations = 16 * shape.n_embd * _UBATCH
    logits = _F32 * header.n_vocab * _UBATCH
    mask = _F32 * _UBATCH * cells
    layers = range(min(header.n_layers, _MAX_LAYERS))
    scores = _F32 * _UBATCH * cells * max(map(shape.n_head, layers), default=0)
    return activations + mask + max(logits, scores)


class _Shape:
    """The dimensions of a model's layers."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self.n_embd = self._hyper("embedding_length")
        self.window = self._hyper("attention.sliding_window")
        self._pattern = header.hyper("attention.sliding_window_pattern")
        self._kv_rank = self._hyper("attention.kv_lora_rank")
        self._has_mla = bool(self._kv_rank and self._hyper("attention.key_length_mla"))
        self._d_conv = self._hyper("ssm.conv_kernel")
        self._d_inner = self._hyper("ssm.inner_size")
        self._d_state = self._hyper("ssm.state_size")
        self._groups = self._hyper("ssm.group_count")
        self._full_interval = self._hyper("full_attention_interval")

    def n_head(self, layer: int) -> int:
        return self._hyper("attention.head_count", layer)

    def slides(self, layer: int) -> bool:
        if not self.window:
            return False
        if isinstance(self._pattern, tuple):
            return bool(self._pattern[layer]) if layer < len(self._pattern) else False
        period = _integer(self._pattern) or _SLIDING_PERIODS.get(self._header.architecture, 0)
        return bool(period) and layer % period < period - 1

    def attention_values(self, layer: int) -> int:
        """Numbers that the layer keeps of each token."""
        n_head = self.n_head(layer)
        if not n_head or (self._is_recurrent(layer) and self._full_interval):
            return 0
        if self._has_mla:
            return self._kv_rank + self._hyper("rope.dimension_count")
        n_head_kv = self._hyper("attention.head_count_kv", layer, default=n_head)
        each = self.n_embd // n_head
        key = self._hyper("attention.key_length", default=each)
        value = self._hyper("attention.value_length", default=each)
        return n_head_kv * (key + value)

    def recurrent_values(self, layer: int) -> int:
        """Numbers that the layer keeps in all, however long the chat."""
        if not self._is_recurrent(layer):
            return 0
        convolution = (self._d_conv - 1) * (self._d_inner + 2 * self._groups * self._d_state)
        return convolution + self._d_state * self._d_inner

    def _is_recurrent(self, layer: int) -> bool:
        if not self._d_conv:
            return False
        if self._full_interval:
            return (layer + 1) % self._full_interval != 0
        # Where only some layers attend, those that do are not recurrent.
        per_layer = isinstance(self._header.hyper("attention.head_count_kv"), tuple)
        return not (per_layer and self._hyper("attention.head_count_kv", layer))

    def _hyper(self, key: str, layer: int = 0, default: int = 0) -> int:
        value = self._header.hyper(key)
        if isinstance(value, tuple):
            value = value[layer] if layer < len(value) else None
        number = _integer(value)
        return default if number is None else number


def _integer(value: MetadataValue | None) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _padded(cells: int) -> int:
    return (cells + _CELLS - 1) // _CELLS * _CELLS
