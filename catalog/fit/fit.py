"""Whether a model fits this computer's memory, why, and how fast it will be."""

from collections.abc import Callable
from typing import Literal

import msgspec

from catalog.fit.memory_estimate import CacheType, MemoryEstimate, estimate, estimate_shape
from catalog.fit.memory_shape import shape_of
from catalog.fit.speed import SpeedClass, active_bytes, speed_class, tokens_per_second
from catalog.gguf.header import GgufHeader

__all__ = [
    "CacheType",
    "Fit",
    "Memory",
    "MemoryEstimate",
    "SpeedClass",
    "Verdict",
    "estimate",
    "fit",
    "rough_fit",
]

Verdict = Literal["fits", "tight", "too_large"]

_SHARE = 0.9
"""Of the memory that is free, or there in all: the rest is for what other programs do meanwhile."""

_STEP = 256
_LONGEST_CONTEXT = 1 << 20  # a header may claim any length
_ROUGH_LONGEST = 32_768
_ROUGH_BITS = 5.0


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of memory, free now and in all; those of a graphics card are 0 where there is none.

    `vram_shared`: the graphics card has no memory of its own, and `vram_free` is a part of `free`.
    `bandwidth` is how many bytes of weights a second the processor works off, 0 where not measured.
    """

    free: int
    total: int
    vram_free: int = 0
    vram_total: int = 0
    vram_shared: bool = False
    bandwidth: float = 0.0

    @property
    def comfortable(self) -> int:
        """What a model may take so that it simply runs: on the graphics card, where there is one."""
        return int(_SHARE * (self.vram_free if self.vram_total else self.free))

    @property
    def utmost(self) -> int:
        """What a model may take when other programs make room, or a part stays off the graphics card."""
        own = 0 if self.vram_shared else self.vram_total
        return int(_SHARE * (self.total + own))


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a model fits, and why. Bytes and tokens.

    It `fits` where nine tenths of the free memory are enough, graphics memory where there is a
    graphics card. It is `tight` where it would do if other programs gave their memory back, or if
    a part of it were left off the graphics card; beyond that it is `too_large`.

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


def fit(
    header: GgufHeader,
    weights_bytes: int,
    n_ctx: int,
    memory: Memory,
    *,
    cache_type: CacheType = "f16",
) -> Fit:
    """Judge a model by its header. `weights_bytes` is of all its files, `n_ctx` in tokens."""
    shape = shape_of(header)

    def parts(tokens: int) -> MemoryEstimate:
        return estimate_shape(
            shape,
            weights_bytes,
            tokens,
            cache_type=cache_type,
            flash_attention=memory.vram_total > 0,
        )

    longest = min(header.context_length or _LONGEST_CONTEXT, _LONGEST_CONTEXT)
    return _judge(parts, n_ctx, longest, active_bytes(header, weights_bytes), memory, exact=True)


def rough_fit(
    parameters: int, weights_bytes: int, n_ctx: int, memory: Memory, *, longest: int = 0
) -> Fit:
    """Judge a model of which only the size is known, by what models of that size take at most.

    Either number may be 0; `longest` is the context that it was made for, 0 where unknown. Older models take more for their context, and those with experts are
    faster.
    """
    parameters = parameters or int(weights_bytes * 8 / _ROUGH_BITS)
    weights_bytes = weights_bytes or int(parameters * _ROUGH_BITS / 8)

    def parts(tokens: int) -> MemoryEstimate:
        return _rough_parts(parameters, weights_bytes, tokens)

    longest = min(longest or _ROUGH_LONGEST, _LONGEST_CONTEXT)
    return _judge(parts, n_ctx, longest, weights_bytes, memory, exact=False)


def _judge(
    parts: Callable[[int], MemoryEstimate],
    n_ctx: int,
    longest: int,
    read_bytes: int,
    memory: Memory,
    *,
    exact: bool,
) -> Fit:
    wanted = parts(n_ctx)
    speed = tokens_per_second(read_bytes, wanted.kv_cache, memory.bandwidth)
    return Fit(
        verdict=_verdict(wanted.total, memory),
        parts=wanted,
        free=memory.vram_free if memory.vram_total else memory.free,
        n_ctx=n_ctx,
        largest_context=_largest(parts, longest, memory.comfortable),
        exact=exact,
        # Of a graphics card's memory the bandwidth is not known.
        tokens_per_second=0.0 if memory.vram_total else speed,
        speed=None if memory.vram_total else speed_class(speed),
    )


def _verdict(needed: int, memory: Memory) -> Verdict:
    if needed <= memory.comfortable:
        return "fits"
    return "tight" if needed <= memory.utmost else "too_large"


def _largest(parts: Callable[[int], MemoryEstimate], longest: int, room: int) -> int:
    """The longest context, in whole steps, whose parts find room; found by halving."""
    enough, too_much = 0, -(-longest // _STEP) + 1
    while too_much - enough > 1:
        steps = (enough + too_much) // 2
        if parts(steps * _STEP).total <= room:
            enough = steps
        else:
            too_much = steps
    return min(enough * _STEP, longest)


def _rough_parts(parameters: int, weights_bytes: int, n_ctx: int) -> MemoryEstimate:
    """Fitted to the common models of 2023 to 2026, on the upper side."""
    billions = parameters / 1e9
    per_token = 112 * 1024 * min(1.0, billions / 0.5) * max(1.0, billions / 4) ** 0.4
    n_head = 16 * (max(billions, 0.01) / 0.5) ** 0.28
    n_vocab = 152_000 if billions > 0.4 else 50_000
    scores = n_ctx * n_head
    compute = 4 * 512 * (n_ctx + max(scores, n_vocab) + 12_000)
    return MemoryEstimate(weights_bytes, int(per_token * n_ctx), int(compute))
