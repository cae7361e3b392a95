"""How much memory a model takes, estimated from its header before anything is loaded.

The formulas follow what llama.cpp allocates when the engine of this program asks for it: one cache
that all sequences share, micro-batches of 512 tokens, and on a processor no flash attention.
"""

from typing import Literal

import msgspec

from catalog.fit.memory_shape import LayerShape, ModelShape, shape_of
from catalog.gguf.header import GgufHeader

CacheType = Literal["f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]

_STATES = 4
"""Recurrent layers keep so many states, each of another sequence, however short it is."""

_CELLS = 256  # the cache's length is rounded up to this
_F16, _F32 = 2, 4
_CACHE_BITS: dict[CacheType, float] = {
    "f16": 16,
    "q8_0": 8.5,
    "q5_1": 6,
    "q5_0": 5.5,
    "q4_1": 5,
    "q4_0": 4.5,
}


class MemoryEstimate(msgspec.Struct, frozen=True):
    """Bytes. `kv_cache` holds what the model remembers of the chat, `compute` its scratch space."""

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.compute


def estimate(
    header: GgufHeader,
    weights_bytes: int,
    n_ctx: int,
    *,
    swa_full: bool = True,
    cache_type: CacheType = "f16",
    n_ubatch: int = 512,
    flash_attention: bool = False,
) -> MemoryEstimate:
    """Memory for a context of `n_ctx` tokens, shared by all sequences.

    `flash_attention` is what graphics cards compute with, and a quantized cache can't be used
    without. `swa_full`, as llama.cpp calls it: layers that look back on a window only keep all
    tokens nevertheless, which reuse of a prompt's beginning needs. Where a header leaves something
    out, the estimate errs towards more.
    """
    return estimate_shape(
        shape_of(header),
        weights_bytes,
        n_ctx,
        swa_full=swa_full,
        cache_type=cache_type,
        n_ubatch=n_ubatch,
        flash_attention=flash_attention,
    )


def estimate_shape(
    shape: ModelShape,
    weights_bytes: int,
    n_ctx: int,
    *,
    swa_full: bool = True,
    cache_type: CacheType = "f16",
    n_ubatch: int = 512,
    flash_attention: bool = False,
) -> MemoryEstimate:
    """The same as `estimate`, for whoever asks for many lengths of context."""
    cells = _padded(n_ctx)
    windowed = cells if swa_full else _padded(min(n_ctx, shape.window + n_ubatch))
    flash = flash_attention or cache_type != "f16"
    kv_cache = _kv_cache(shape, cells, windowed, _CACHE_BITS[cache_type], flash=flash)
    compute = _compute(shape, cells, windowed, min(n_ubatch, cells), flash=flash)
    return MemoryEstimate(weights_bytes, kv_cache, compute)


def _kv_cache(shape: ModelShape, cells: int, windowed: int, bits: float, *, flash: bool) -> int:
    widest = shape.widest_value
    total = 0
    for layer, count in shape.layers:
        if layer.has_cache:
            # Without flash attention the values of all layers must be equally wide.
            value = layer.value if flash else widest
            length = windowed if layer.slides else cells
            total += count * (int(length * (layer.key + value) * bits) // 8)
        total += count * layer.state * _STATES * _F32
    return total


def _compute(shape: ModelShape, cells: int, windowed: int, n_tokens: int, *, flash: bool) -> int:
    """What a micro-batch takes at the worst moment: in a layer, or when the logits are there.

    Memory is used again as soon as nothing needs what is in it. How many of the activations are
    alive together was found by comparing with what llama.cpp allocates.
    """
    mask = 0
    if shape.attends:
        mask = (cells + (windowed if shape.has_windows else 0)) * (_F16 if flash else _F32)
    residual = 3 * shape.n_embd
    busiest = max((_busiest(layer, cells, flash) for layer, _ in shape.layers), default=0)
    in_a_layer = mask + (residual + max(busiest, shape.experts)) * _F32
    at_the_end = (residual + shape.n_vocab) * _F32
    return n_tokens * max(in_a_layer, at_the_end)


def _busiest(layer: LayerShape, cells: int, flash: bool) -> int:
    """Numbers that a layer works with for each token of the batch, at its busiest."""
    scores = 0 if flash else cells * layer.n_head
    attention = scores + 2 * layer.query + layer.key + layer.value
    return max(attention, 3 * layer.feed_forward, layer.recurrent)


def _padded(cells: int) -> int:
    return (cells + _CELLS - 1) // _CELLS * _CELLS
