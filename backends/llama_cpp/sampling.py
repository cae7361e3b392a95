"""llama.cpp's sampler chain for a request's sampling settings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NewType

import llama_cpp.llama_cpp as native

from backends.llama_cpp.context import Context
from backends.llama_cpp.model import Model
from backends.protocol import Sampling

PENALTY_WINDOW = 64
"""Tokens that the repeat penalty looks back on."""

_KEEP_ONE = 1

Chain = NewType("Chain", int)


@contextmanager
def sampler_chain(
    model: Model, sampling: Sampling, seed: int, history: Sequence[int]
) -> Iterator[Chain]:
    """A chain that has seen the end of the `history`, freed at the end of the block."""
    chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
    try:
        for sampler in _samplers(model, sampling, seed):
            native.llama_sampler_chain_add(chain, sampler)
        if sampling.repeat_penalty != 1.0:
            for token in history[-PENALTY_WINDOW:]:
                native.llama_sampler_accept(chain, token)
        yield Chain(chain)
    finally:
        native.llama_sampler_free(chain)


def sample(chain: Chain, context: Context) -> int:
    """The next token, after the last one that was evaluated."""
    return int(native.llama_sampler_sample(chain, context.handle, -1))


def _samplers(model: Model, sampling: Sampling, seed: int) -> Iterator[object]:
    if sampling.repeat_penalty != 1.0:
        yield native.llama_sampler_init_penalties(
            model.n_vocab, PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0
        )
    if sampling.temperature <= 0:
        yield native.llama_sampler_init_greedy()
        return
    if sampling.top_k > 0:
        yield native.llama_sampler_init_top_k(sampling.top_k)
    if sampling.top_p < 1:
        yield native.llama_sampler_init_top_p(sampling.top_p, _KEEP_ONE)
    if sampling.min_p > 0:
        yield native.llama_sampler_init_min_p(sampling.min_p, _KEEP_ONE)
    yield native.llama_sampler_init_temp(sampling.temperature)
    yield native.llama_sampler_init_dist(seed)
