"""How the next token is chosen."""

from typing import Literal

import msgspec

Sampler = Literal[
    "penalties", "dry", "top_n_sigma", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature"
]
SAMPLERS: tuple[Sampler, ...] = (
    "penalties",
    "dry",
    "top_n_sigma",
    "top_k",
    "typical_p",
    "top_p",
    "min_p",
    "xtc",
    "temperature",
)
"""The usual order, which is llama.cpp's."""


class TokenBias(msgspec.Struct, frozen=True):
    """Adds `bias` to the logit of a token; of a text, to those of all its tokens."""

    token: int | str
    bias: float


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen: each sampler of `order` in turn narrows the choice.

    A negative `seed` draws one. A sampler is off with `top_k` 0, `top_p` 1, `min_p` 0, `typical_p` 1,
    `top_n_sigma` 0 or below, `xtc_probability` 0, `dry_multiplier` 0, `repeat_penalty` 1 and the other
    penalties 0. `temperature` 0 takes the likeliest; `dynamic_range` varies it by so much up and down
    with the entropy, to the power of `dynamic_exponent`. `repeat_last_n` and `dry_last_n` are tokens
    looked back on, -1 the whole context. With `mirostat` 1 or 2, only penalties, bias and temperature
    remain of the chain.
    """

    temperature: float = 0.8
    dynamic_range: float = 0.0
    dynamic_exponent: float = 1.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = 0.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_last_n: int = -1
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[TokenBias, ...] = ()
    order: tuple[Sampler, ...] = SAMPLERS
    seed: int = -1
