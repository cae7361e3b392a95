"""What each sampler does to real logits, and that no setting can harm the engine."""

import math
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.llama_cpp.model import Model
from backends.llama_cpp.sampling import Chooser
from backends.protocol import SAMPLERS, Sampling, TokenBias
from tests.backends.llama_cpp.evaluated import Evaluated

DRAWS = 60
OPEN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)


@pytest.fixture(scope="module")
def evaluated(model: Model) -> Iterator[Evaluated]:
    with Evaluated(model) as evaluated:
        yield evaluated


def changed(**values: object) -> Sampling:
    return msgspec.structs.replace(OPEN, **values)


def draw(
    model: Model,
    evaluated: Evaluated,
    sampling: Sampling,
    seed: int,
    history: list[int] | None = None,
) -> int:
    chooser = Chooser(model, sampling, seed, history or [])
    try:
        return chooser.choose(evaluated.handle, -1)
    finally:
        chooser.close()


def drawn(model: Model, evaluated: Evaluated, sampling: Sampling) -> set[int]:
    return {draw(model, evaluated, sampling, seed) for seed in range(DRAWS)}


def likeliest(evaluated: Evaluated, count: int = 1) -> list[int]:
    return [int(token) for token in np.argsort(-evaluated.logits())[:count]]


def test_without_any_sampler_many_tokens_come(model: Model, evaluated: Evaluated) -> None:
    assert len(drawn(model, evaluated, OPEN)) > 20


def test_temperature_zero_takes_the_likeliest(model: Model, evaluated: Evaluated) -> None:
    assert drawn(model, evaluated, Sampling(temperature=0)) == set(likeliest(evaluated))


def test_a_low_temperature_keeps_to_the_likely_ones(model: Model, evaluated: Evaluated) -> None:
    cold = drawn(model, evaluated, changed(temperature=0.05))
    assert len(cold) < len(drawn(model, evaluated, OPEN)) / 3


@pytest.mark.parametrize("count", [1, 3])
def test_top_k_keeps_so_many(model: Model, evaluated: Evaluated, count: int) -> None:
    tokens = drawn(model, evaluated, changed(top_k=count, temperature=50.0))
    assert tokens == set(likeliest(evaluated, count))


@pytest.mark.parametrize(
    "narrowing",
    [
        {"top_p": 0.1},
        {"min_p": 0.9},
        {"top_n_sigma": 1.0},
        {"mirostat": 1, "mirostat_tau": 0.5},
        {"mirostat": 2, "mirostat_tau": 0.5},
    ],
)
def test_a_narrowing_sampler_leaves_only_likely_tokens(
    model: Model, evaluated: Evaluated, narrowing: dict[str, float]
) -> None:
    tokens = drawn(model, evaluated, changed(**narrowing))
    every = drawn(model, evaluated, OPEN)
    assert tokens < every or len(tokens) < len(every) / 2
    lowest = min(evaluated.logits()[list(tokens)])
    assert lowest > np.quantile(evaluated.logits(), 0.5)


def test_typical_p_leaves_fewer_tokens(model: Model, evaluated: Evaluated) -> None:
    typical = drawn(model, evaluated, changed(typical_p=0.05))
    assert len(typical) < len(drawn(model, evaluated, OPEN)) / 2


def test_a_dynamic_temperature_is_hotter_where_the_model_doubts(
    model: Model, evaluated: Evaluated
) -> None:
    fixed = drawn(model, evaluated, changed(temperature=0.3))
    dynamic = drawn(model, evaluated, changed(temperature=0.3, dynamic_range=3.0))
    assert len(dynamic) > len(fixed)


def test_xtc_leaves_out_the_likeliest(model: Model, evaluated: Evaluated) -> None:
    sampling = changed(top_k=5, xtc_probability=1.0, xtc_threshold=0.001)
    assert drawn(model, evaluated, sampling) == {likeliest(evaluated, 5)[-1]}


def test_a_bias_forces_and_forbids_tokens(model: Model, evaluated: Evaluated) -> None:
    first, second = likeliest(evaluated, 2)
    forbid = changed(temperature=0, logit_bias=(TokenBias(first, -100.0),))
    assert draw(model, evaluated, forbid, 0) == second
    (plain,) = model.tokenize("z")
    force = changed(temperature=0, logit_bias=(TokenBias("z", 100.0),))
    assert draw(model, evaluated, force, 0) == plain


@pytest.mark.parametrize(
    "penalty", [{"repeat_penalty": 50.0}, {"frequency_penalty": 60.0}, {"presence_penalty": 60.0}]
)
def test_a_penalty_acts_on_what_was_used_lately(
    model: Model, evaluated: Evaluated, penalty: dict[str, float]
) -> None:
    best = likeliest(evaluated)[0]
    sampling = changed(temperature=0, **penalty)
    assert draw(model, evaluated, sampling, 0, [best]) != best
    assert draw(model, evaluated, sampling, 0, [5, 6]) == best
    long_ago = [best] + [7] * 100
    assert draw(model, evaluated, sampling, 0, long_ago) == best
    everything = changed(temperature=0, repeat_last_n=-1, **penalty)
    assert draw(model, evaluated, everything, 0, long_ago) != best
    assert (
        draw(model, evaluated, changed(temperature=0, repeat_last_n=0, **penalty), 0, [best])
        == best
    )


def test_dry_keeps_from_going_on_with_a_phrase(model: Model, evaluated: Evaluated) -> None:
    a, b, c = (model.tokenize(letter)[0] for letter in "xyz")
    wanted = (TokenBias(c, 100.0),)
    sampling = changed(temperature=0, logit_bias=wanted, dry_multiplier=100.0)
    assert draw(model, evaluated, sampling, 0, [a, b, c, a, b]) != c
    assert draw(model, evaluated, sampling, 0, [a, c, b, a, b]) == c
    off = changed(temperature=0, logit_bias=wanted)
    assert draw(model, evaluated, off, 0, [a, b, c, a, b]) == c


def test_the_order_matters(model: Model, evaluated: Evaluated) -> None:
    sampling = changed(temperature=50.0, min_p=0.5)
    heated_first = changed(temperature=50.0, min_p=0.5, order=("temperature", "min_p"))
    assert len(drawn(model, evaluated, sampling)) * 2 < len(drawn(model, evaluated, heated_first))


def test_what_the_order_leaves_out_does_not_act(model: Model, evaluated: Evaluated) -> None:
    assert len(drawn(model, evaluated, changed(top_k=1, order=("temperature",)))) > 20


def test_the_same_seed_gives_the_same_answer(model: Model, evaluated: Evaluated) -> None:
    def answer(seed: int) -> list[int]:
        evaluated.start_over()
        chooser = Chooser(model, changed(xtc_probability=0.5, top_k=40), seed, [])
        tokens = []
        for _ in range(20):
            tokens.append(chooser.choose(evaluated.handle, -1))
            evaluated.evaluate(tokens[-1:])
        chooser.close()
        evaluated.start_over()
        return tokens

    assert answer(7) == answer(7) != answer(8)


def test_log_probabilities_are_those_of_the_model(model: Model, evaluated: Evaluated) -> None:
    chooser = Chooser(model, Sampling(temperature=5.0), 1, [], logprobs=3)
    token = chooser.choose(evaluated.handle, -1)
    (noted,) = chooser.take_logprobs()
    assert chooser.take_logprobs() == ()
    chooser.close()
    logits = evaluated.logits().astype(np.float64)
    expected = logits - np.log(np.exp(logits).sum())
    assert noted.logprob == pytest.approx(expected[token], abs=1e-4)
    assert noted.text == model.piece(token).decode("utf-8", "replace")
    best = likeliest(evaluated, 3)
    assert [text for text, _ in noted.top] == [
        model.piece(token).decode("utf-8", "replace") for token in best
    ]
    assert [value for _, value in noted.top] == pytest.approx(expected[best].tolist(), abs=1e-4)


def test_nothing_is_noted_unless_asked_for(model: Model, evaluated: Evaluated) -> None:
    chooser = Chooser(model, OPEN, 1, [])
    chooser.choose(evaluated.handle, -1)
    assert chooser.take_logprobs() == ()
    chooser.close()


HOSTILE = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -1.0, 1.0, 1e-40, 1e300, -1e300, math.inf, -math.inf, math.nan]),
)
WHOLE = st.one_of(st.integers(), st.sampled_from([0, -1, 1, 2**31, -(2**63)]))
FLOATS = [name for name in OPEN.__struct_fields__ if isinstance(getattr(OPEN, name), float)]
WHOLES = ["top_k", "repeat_last_n", "dry_last_n", "dry_allowed_length", "mirostat"]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    numbers=st.dictionaries(st.sampled_from(FLOATS), HOSTILE),
    wholes=st.dictionaries(st.sampled_from(WHOLES), WHOLE),
    biases=st.lists(
        st.builds(TokenBias, st.one_of(WHOLE, st.text(max_size=5)), HOSTILE), max_size=4
    ),
    order=st.lists(st.sampled_from(SAMPLERS)),
    seed=st.integers(min_value=0),
)
def test_no_setting_can_harm_the_engine(
    model: Model,
    evaluated: Evaluated,
    numbers: dict[str, float],
    wholes: dict[str, int],
    biases: list[TokenBias],
    order: list[str],
    seed: int,
) -> None:
    sampling = changed(**numbers, **wholes, logit_bias=tuple(biases), order=tuple(order))
    assert 0 <= draw(model, evaluated, sampling, seed, [5, 6, 7, 5, 6]) < model.n_vocab
