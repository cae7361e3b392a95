"""Which values the settings of a chat take."""

import pytest

from app.errors import AppError
from app.options import CHAT_OPTIONS, checked, effective, option
from app.options.adapter_stack import StackedAdapter, parse_stack, stack_of, stack_text
from app.presets import PRESETS, preset_of, with_preset


@pytest.mark.parametrize("declared", CHAT_OPTIONS, ids=lambda declared: declared.key)
def test_every_default_is_a_value_that_is_taken(declared) -> None:
    assert checked(declared.key, declared.default) == declared.default
    assert checked(declared.key, str(declared.default)) == declared.default


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("mirostat", "2", 2),
        ("cache_type", " Q8_0 ", "q8_0"),
        ("mmap", "off", 0),
        ("logprobs", True, 1),
        ("typical_p", "0.5", 0.5),
        ("rpc_servers", "[::1]:50052", "[::1]:50052"),
        ("logit_bias", "a=b=3", "a=b=3"),
        ("answer_schema", "true", "true"),
    ],
)
def test_a_value_becomes_what_it_means(key, value, expected) -> None:
    assert checked(key, value) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mirostat", "3"),
        ("cache_type", "f32"),
        ("mmap", "perhaps"),
        ("xtc_threshold", "2"),
        ("dry_allowed_length", "1.5"),
        ("sampler_order", "top_k top_k"),
        ("sampler_order", "top_k luck"),
        ("logit_bias", "however"),
        ("logit_bias", "however=much"),
        ("logit_bias", "however=1000"),
        ("logit_bias", "=1"),
        ("logit_bias", "#4294967296000=1"),
        ("logit_bias", f"#{'9' * 5_000}=1"),
        ("answer_schema", "{"),
        ("answer_schema", "[1]"),
        ("answer_schema", "[" * 100_000),
        ("answer_grammar", 'start ::= "a"'),
        ("rpc_servers", "localhost"),
        ("rpc_servers", "host:99999"),
        ("rpc_servers", "ho st:1"),
        ("adapters", "terse"),
        ("adapters", '[{"adapter": "a"}, {"adapter": "a"}]'),
        ("adapters", '[{"adapter": "a", "scale": 3}]'),
        ("adapters", '[{"adapter": "a", "scale": 1e999}]'),
    ],
)
def test_what_is_no_value_is_refused_in_words(key, value) -> None:
    with pytest.raises(AppError) as refused:
        checked(key, value)
    assert refused.value.what.endswith(".")


def test_a_stack_survives_being_an_option() -> None:
    stack = (StackedAdapter("terse", 0.8), StackedAdapter("tutor", -1.5, muted=True))
    assert stack_of({"adapters": stack_text(stack)}) == stack
    assert stack_text(()) == ""
    assert parse_stack(" ") == ()


def test_too_many_adapters_are_refused() -> None:
    with pytest.raises(AppError, match="16"):
        parse_stack(stack_text([StackedAdapter(str(number)) for number in range(17)]))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_preset_is_recognised_by_what_it_sets(preset) -> None:
    defaults = effective({"temperature": 0.6})
    options = with_preset({"seed": 3, "top_k": 1}, preset.key)
    assert options["seed"] == 3
    assert preset_of({**defaults, **options}, defaults) == preset.key
    for key, value in preset.options.items():
        assert checked(key, value) == value


def test_what_no_preset_sets_is_none() -> None:
    assert preset_of(effective({"temperature": 1.9}), effective()) == ""
    with pytest.raises(AppError, match="wild"):
        with_preset({}, "wild")


def test_an_option_that_there_is_not_is_named() -> None:
    with pytest.raises(AppError, match="colour"):
        option("colour")
