"""llama.cpp's samplers for a request's sampling settings.

Settings come from outside: numbers that are none count as the default, the others are brought
within what llama.cpp can compute with.
"""

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NewType

import llama_cpp.llama_cpp as native
import msgspec

from backends.llama_cpp.model import Model
from backends.protocol import Sampler, Sampling

NativeSampler = NewType("NativeSampler", int)

LARGEST_BIAS = 100.0
LONGEST_LOOK_BACK = 1 << 20
BREAKERS = ("\n", ":", '"', "*")
"""Where a repeated phrase ends for DRY, as llama.cpp has it."""

_KEEP_ONE = 1
_COLDEST, _HOTTEST = 0.01, 100.0
_MIROSTAT_M = 100
_LEAST_SHARE = 1e-30
"""Of the likeliest token. Samplers that take logarithms fail on what was ruled out altogether."""
_XTC_SEED = 0x9E3779B9  # so that its draws are not those of the last step
_SHIFTING: tuple[Sampler, ...] = ("penalties", "dry")


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How far down the likeliest tokens the choice can go.

    `whole`: everywhere. Else the choice is among the `top_k` likeliest (0: no such bound), and
    among those at least `min_p` times as likely as the likeliest one. `heat` is the temperature, at
    least 1.
    """

    greedy: bool
    whole: bool
    top_k: int
    min_p: float
    heat: float


class Samplers(msgspec.Struct, frozen=True, kw_only=True):
    """`shifting` ones only add to logits and come first; the last of the `choosing` ones chooses."""

    shifting: list[NativeSampler]
    choosing: list[NativeSampler]
    reach: Reach
    look_back: int
    adapts: bool
    """Each choice, also one that is not used, changes the next one."""


def make_samplers(model: Model, sampling: Sampling, seed: int, n_history: int) -> Samplers:
    """The caller owns what is made: it is freed with the chains that it is put into."""
    safe = _sane(sampling)
    order: list[Sampler] = list(dict.fromkeys(safe.order))
    greedy = safe.temperature <= 0 and "temperature" in order
    if safe.mirostat:
        order = [name for name in order if name in ("penalties", "temperature")]
    if greedy:
        order = [name for name in order if name in _SHIFTING]
    shifts = 0
    while shifts < len(order) and order[shifts] in _SHIFTING:
        shifts += 1
    shifting = list(_biases(model, safe))
    shifting += _made(order[:shifts], model, safe, seed)
    choosing = _made(order[shifts:], model, safe, seed)
    adapts = bool(safe.mirostat) and not greedy
    choosing += _last(model, safe, seed, greedy=greedy)
    return Samplers(
        shifting=shifting,
        choosing=choosing,
        reach=_reach(safe, order[shifts:], greedy),
        look_back=_look_back(safe, order, n_history),
        adapts=adapts,
    )


def make_chain(samplers: Sequence[NativeSampler]) -> NativeSampler:
    """A chain that owns its samplers."""
    chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
    for sampler in samplers:
        native.llama_sampler_chain_add(chain, sampler)
    return NativeSampler(chain)


def _made(
    order: Sequence[Sampler], model: Model, sampling: Sampling, seed: int
) -> list[NativeSampler]:
    return [sampler for name in order for sampler in _MAKERS[name](model, sampling, seed)]


def _last(model: Model, sampling: Sampling, seed: int, *, greedy: bool) -> Iterator[NativeSampler]:
    if greedy:
        yield native.llama_sampler_init_greedy()
    elif sampling.mirostat:
        yield _above_nothing()
        tau, eta = sampling.mirostat_tau, sampling.mirostat_eta
        if sampling.mirostat == 1:
            yield native.llama_sampler_init_mirostat(model.n_vocab, seed, tau, eta, _MIROSTAT_M)
        else:
            yield native.llama_sampler_init_mirostat_v2(seed, tau, eta)
    else:
        yield native.llama_sampler_init_dist(seed)


def _biases(model: Model, sampling: Sampling) -> Iterator[NativeSampler]:
    biases: dict[int, float] = {}
    for entry in sampling.logit_bias:
        if math.isnan(entry.bias):
            continue
        tokens = [entry.token] if isinstance(entry.token, int) else model.tokenize(entry.token)
        for token in tokens:
            if 0 <= token < model.n_vocab:
                biases[token] = max(-LARGEST_BIAS, min(LARGEST_BIAS, entry.bias))
    if biases:
        array = (native.llama_logit_bias * len(biases))(
            *(native.llama_logit_bias(token, bias) for token, bias in biases.items())
        )
        yield native.llama_sampler_init_logit_bias(model.n_vocab, len(biases), array)


def _penalties(model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if _penalizes(sampling):
        yield native.llama_sampler_init_penalties(
            model.n_vocab,
            _window(sampling.repeat_last_n, model),
            sampling.repeat_penalty,
            sampling.frequency_penalty,
            sampling.presence_penalty,
        )


def _dry(model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.dry_multiplier > 0 and sampling.dry_last_n:
        breakers = (ctypes.c_char_p * len(BREAKERS))(*(text.encode() for text in BREAKERS))
        yield native.llama_sampler_init_dry(
            model.vocab,
            sampling.dry_multiplier,
            sampling.dry_base,
            sampling.dry_allowed_length,
            _window(sampling.dry_last_n, model),
            breakers,
            len(BREAKERS),
        )


def _top_n_sigma(_model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.top_n_sigma > 0:
        yield native.llama_sampler_init_top_n_sigma(sampling.top_n_sigma)


def _top_k(_model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.top_k > 0:
        yield native.llama_sampler_init_top_k(sampling.top_k)


def _typical_p(_model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.typical_p < 1:
        yield _above_nothing()
        yield native.llama_sampler_init_typical(sampling.typical_p, _KEEP_ONE)


def _top_p(_model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.top_p < 1:
        yield native.llama_sampler_init_top_p(sampling.top_p, _KEEP_ONE)


def _min_p(_model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.min_p > 0:
        yield native.llama_sampler_init_min_p(sampling.min_p, _KEEP_ONE)


def _xtc(_model: Model, sampling: Sampling, seed: int) -> Iterator[NativeSampler]:
    if sampling.xtc_probability > 0:
        yield native.llama_sampler_init_xtc(
            sampling.xtc_probability, sampling.xtc_threshold, _KEEP_ONE, seed ^ _XTC_SEED
        )


def _temperature(_model: Model, sampling: Sampling, _seed: int) -> Iterator[NativeSampler]:
    if sampling.dynamic_range > 0:
        # llama.cpp would go down to 0, where the logits become infinite.
        low = max(_COLDEST, sampling.temperature - sampling.dynamic_range)
        high = sampling.temperature + sampling.dynamic_range
        yield native.llama_sampler_init_temp_ext(
            (low + high) / 2, (high - low) / 2, sampling.dynamic_exponent
        )
    elif sampling.temperature != 1:
        yield native.llama_sampler_init_temp(max(_COLDEST, sampling.temperature))


_MAKERS: dict[Sampler, Callable[[Model, Sampling, int], Iterator[NativeSampler]]] = {
    "penalties": _penalties,
    "dry": _dry,
    "top_n_sigma": _top_n_sigma,
    "top_k": _top_k,
    "typical_p": _typical_p,
    "top_p": _top_p,
    "min_p": _min_p,
    "xtc": _xtc,
    "temperature": _temperature,
}


def _above_nothing() -> NativeSampler:
    return NativeSampler(native.llama_sampler_init_min_p(_LEAST_SHARE, _KEEP_ONE))


def _penalizes(sampling: Sampling) -> bool:
    return bool(sampling.repeat_last_n) and (
        sampling.repeat_penalty != 1
        or sampling.frequency_penalty != 0
        or sampling.presence_penalty != 0
    )


def _window(last_n: int, model: Model) -> int:
    if last_n >= 0:
        return last_n
    return min(LONGEST_LOOK_BACK, max(model.n_ctx_train, LONGEST_LOOK_BACK >> 3))


def _look_back(sampling: Sampling, order: Sequence[Sampler], n_history: int) -> int:
    """Tokens of the history that the samplers must have seen."""
    windows = [
        sampling.repeat_last_n if "penalties" in order and _penalizes(sampling) else 0,
        sampling.dry_last_n if "dry" in order and sampling.dry_multiplier > 0 else 0,
    ]
    return n_history if min(windows) < 0 else min(n_history, max(windows))


def _reach(sampling: Sampling, choosing: Sequence[Sampler], greedy: bool) -> Reach:
    acting = set(choosing)
    heat = sampling.temperature + sampling.dynamic_range if "temperature" in acting else 1.0
    top_k = sampling.top_k if choosing and _first_acting(sampling, choosing) == "top_k" else 0
    thins_first = "xtc" in acting and sampling.xtc_probability > 0
    return Reach(
        greedy=greedy,
        whole=bool(acting & set(_SHIFTING))
        or ("top_n_sigma" in acting and sampling.top_n_sigma > 0),
        top_k=top_k,
        min_p=sampling.min_p if "min_p" in acting and not thins_first else 0.0,
        heat=max(1.0, heat),
    )


def _first_acting(sampling: Sampling, choosing: Sequence[Sampler]) -> Sampler | None:
    off = {
        "top_n_sigma": sampling.top_n_sigma <= 0,
        "top_k": sampling.top_k <= 0,
        "typical_p": sampling.typical_p >= 1,
        "top_p": sampling.top_p >= 1,
        "min_p": sampling.min_p <= 0,
        "xtc": sampling.xtc_probability <= 0,
    }
    return next((name for name in choosing if not off.get(name, False)), None)


def _sane(sampling: Sampling) -> Sampling:
    """The settings within bounds that llama.cpp can compute with."""
    bounds: dict[str, tuple[float, float]] = {
        "temperature": (0.0, _HOTTEST),
        "dynamic_range": (0.0, _HOTTEST),
        "dynamic_exponent": (0.01, 10.0),
        "top_k": (0, 1 << 24),
        "top_p": (0.0, 1.0),
        "min_p": (0.0, 1.0),
        "typical_p": (0.0, 1.0),
        "top_n_sigma": (0.0, 1e3),
        "xtc_probability": (0.0, 1.0),
        "xtc_threshold": (0.0, 1.0),
        "repeat_penalty": (0.01, 100.0),
        "repeat_last_n": (-1, LONGEST_LOOK_BACK),
        "frequency_penalty": (-100.0, 100.0),
        "presence_penalty": (-100.0, 100.0),
        "dry_multiplier": (0.0, 100.0),
        "dry_base": (1.0, 10.0),
        "dry_allowed_length": (1, 1 << 20),
        "dry_last_n": (-1, LONGEST_LOOK_BACK),
        "mirostat_tau": (0.0, 100.0),
        "mirostat_eta": (0.0, 1.0),
    }
    values = {name: _within(sampling, name, *ends) for name, ends in bounds.items()}
    mirostat = sampling.mirostat if sampling.mirostat in (1, 2) else 0
    return msgspec.structs.replace(sampling, mirostat=mirostat, **values)


def _within(sampling: Sampling, name: str, least: float, most: float) -> float:
    value: float = getattr(sampling, name)
    if math.isnan(value):
        value = getattr(Sampling(), name)
    bounded = max(least, min(most, value))
    return int(bounded) if isinstance(least, int) else bounded
