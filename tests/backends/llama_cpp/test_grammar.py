"""Answers of a real model that are held to a grammar."""

import re
from collections.abc import Iterator

import pytest

from backends.errors import BadGrammar
from backends.llama_cpp import sampling as sampling_module
from backends.llama_cpp.grammar import CompiledGrammar, compile_grammar
from backends.llama_cpp.model import Model
from backends.llama_cpp.sampling import Chooser
from backends.protocol import Grammar, Sampling, TokenBias
from tests.backends.llama_cpp.evaluated import Evaluated

OPEN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
SETTINGS = (
    OPEN,
    Sampling(),
    Sampling(temperature=0),
    Sampling(mirostat=2),
    Sampling(repeat_penalty=1.3, dry_multiplier=0.8),
    Sampling(top_n_sigma=1.0, typical_p=0.5),
)
ANYTHING = "root ::= .*"


@pytest.fixture(scope="module")
def evaluated(model: Model) -> Iterator[Evaluated]:
    with Evaluated(model) as evaluated:
        yield evaluated


def compiled(model: Model, gbnf: str) -> CompiledGrammar:
    return compile_grammar(model, Grammar("gbnf", gbnf))


def answer(
    model: Model,
    evaluated: Evaluated,
    grammar: CompiledGrammar | None,
    *,
    sampling: Sampling = OPEN,
    seed: int = 0,
    longest: int = 100,
) -> tuple[bytes, bool]:
    """What it came to, and whether it ended by itself."""
    evaluated.start_over()
    chooser = Chooser(model, sampling, seed, [], grammar=grammar)
    pieces = []
    try:
        for _ in range(longest):
            token = chooser.choose(evaluated.handle, -1)
            if model.is_end(token):
                return b"".join(pieces), True
            pieces.append(model.piece(token))
            evaluated.evaluate([token])
        return b"".join(pieces), False
    finally:
        chooser.close()


@pytest.mark.parametrize("sampling", SETTINGS)
@pytest.mark.parametrize(
    ("gbnf", "pattern"),
    [
        ('root ::= "yes" | "no"', "yes|no"),
        ("root ::= [a-f]{4} [0-9]{1,3}", "[a-f]{4}[0-9]{1,3}"),
        ('root ::= "(" root ")" | "hello" [!?]', r"\(*hello[!?]\)*"),
        ("root ::= [äöüß]{3} [^ -~]{3}", "[äöüß]{3}[^ -~]{3}"),
    ],
)
def test_an_answer_is_what_the_grammar_demands(
    model: Model, evaluated: Evaluated, gbnf: str, pattern: str, sampling: Sampling
) -> None:
    grammar = compiled(model, gbnf)
    for seed in range(6):
        text, ended = answer(model, evaluated, grammar, sampling=sampling, seed=seed)
        assert ended
        assert re.fullmatch(pattern, text.decode(), re.DOTALL)


def test_an_answer_does_not_end_before_the_grammar_is_complete(
    model: Model, evaluated: Evaluated
) -> None:
    text, ended = answer(model, evaluated, compiled(model, "root ::= [a-z]{60}"))
    assert ended
    assert len(text) == 60


def test_special_tokens_are_no_text_of_an_answer(model: Model, evaluated: Evaluated) -> None:
    for seed in range(20):
        text, ended = answer(model, evaluated, compiled(model, "root ::= .{8}"), seed=seed)
        assert ended
        assert len(text.decode()) == 8


@pytest.mark.parametrize("sampling", [OPEN, Sampling(repeat_penalty=1.5, xtc_probability=0.5)])
def test_a_grammar_that_allows_everything_changes_nothing(
    model: Model, evaluated: Evaluated, sampling: Sampling
) -> None:
    narrowed = Sampling(
        **{name: getattr(sampling, name) for name in sampling.__struct_fields__ if name != "top_k"},
        top_k=40,
    )
    free = answer(model, evaluated, None, sampling=narrowed, seed=5, longest=40)
    held = answer(
        model, evaluated, compiled(model, ANYTHING), sampling=narrowed, seed=5, longest=40
    )
    assert held == free


@pytest.mark.parametrize("sampling", SETTINGS)
def test_looking_at_the_likeliest_first_chooses_the_same(
    model: Model, evaluated: Evaluated, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    grammar = compiled(model, "root ::= [aeiou0-9]{30}")
    whole = answer(model, evaluated, grammar, sampling=sampling, seed=3)
    monkeypatch.setattr(sampling_module, "_LOOKED_AT_FIRST", (8, 64))
    assert answer(model, evaluated, grammar, sampling=sampling, seed=3) == whole


def test_while_thinking_the_grammar_waits_and_the_answer_goes_on(
    model: Model, evaluated: Evaluated
) -> None:
    evaluated.start_over()
    grammar = compiled(model, 'root ::= "ok"')
    chooser = Chooser(model, OPEN, 1, [], grammar=grammar)
    thought = [chooser.choose(evaluated.handle, -1, constrained=False) for _ in range(200)]
    assert len(set(thought)) > 20
    assert not any(map(model.is_end, thought))
    said = b""
    while not model.is_end(token := chooser.choose(evaluated.handle, -1)):
        said += model.piece(token)
    chooser.close()
    assert said == b"ok"


def test_a_dead_end_is_told_in_words(
    model: Model, evaluated: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if its vocabulary had no digits.
    piece = model.piece
    monkeypatch.setattr(
        model, "piece", lambda token: b"" if piece(token).isdigit() else piece(token)
    )
    with pytest.raises(BadGrammar, match="dead end"):
        answer(model, evaluated, compiled(model, 'root ::= "a" [0-9]'))


def test_a_grammar_that_is_read_in_countless_ways_ends_in_words(
    model: Model, evaluated: Evaluated
) -> None:
    gbnf = 'root ::= "a" root x | "a" root y | ""\nx ::= "b"\ny ::= "b"'
    sampling = Sampling(temperature=0, logit_bias=(TokenBias("a", 100.0),))
    with pytest.raises(BadGrammar, match="too many ways"):
        answer(model, evaluated, compiled(model, gbnf), sampling=sampling, longest=40)


@pytest.mark.parametrize("gbnf", ["root ::= nothing", "", 'root ::= ("" | "a")*'])
def test_what_is_no_grammar_is_refused(model: Model, gbnf: str) -> None:
    with pytest.raises(BadGrammar):
        compiled(model, gbnf)
