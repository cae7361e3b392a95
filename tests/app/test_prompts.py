"""From a branch and its options to what a backend is asked."""

import pytest

from app.conversations.records import Message, Role
from app.errors import AppError
from app.options import effective
from app.prompts import chat_request, load_options, prompt_messages, sampling_of
from backends.protocol import Grammar, StateKeeping, TokenBias


def said(role: Role, text: str, reasoning: str = "") -> Message:
    return Message(
        id=text,
        conversation_id="c",
        parent_id=None,
        role=role,
        text=text,
        created=0,
        reasoning=reasoning,
    )


def test_the_system_prompt_comes_first() -> None:
    prompt = prompt_messages([said("user", "Hello")], "Be brief.")
    assert [(message.role, message.content) for message in prompt] == [
        ("system", "Be brief."),
        ("user", "Hello"),
    ]


def test_a_blank_system_prompt_is_none() -> None:
    assert [message.role for message in prompt_messages([said("user", "Hello")], " \n")] == ["user"]


def test_an_answer_that_never_came_leaves_its_question_joined_to_the_next() -> None:
    branch = [said("user", "One?"), said("assistant", ""), said("user", "Two?")]
    (message,) = prompt_messages(branch, "")
    assert (message.role, message.content) == ("user", "One?\n\nTwo?")


def test_thinking_goes_along_with_its_answer() -> None:
    branch = [said("user", "Why?"), said("assistant", "So.", "Hm.")]
    assert prompt_messages(branch, "")[-1].reasoning == "Hm."


def test_every_option_reaches_the_backend() -> None:
    options = effective(
        {
            "system_prompt": "Sing.",
            "temperature": 1.5,
            "top_k": 7,
            "top_p": 0.5,
            "min_p": 0.25,
            "repeat_penalty": 1.25,
            "seed": 9,
            "max_tokens": 11,
            "n_ctx": 2048,
            "threads": 3,
            "gpu_layers": 5,
        }
    )
    request = chat_request([said("user", "Hello")], options, stop=("END",), continue_last=True)
    sampling = request.sampling
    assert request.messages[0].content == "Sing."
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (1.5, 7, 0.5)
    assert (sampling.min_p, sampling.repeat_penalty, sampling.seed) == (0.25, 1.25, 9)
    assert (request.max_tokens, request.stop, request.continue_last) == (11, ("END",), True)
    loading = load_options(options)
    assert (loading.n_ctx, loading.n_threads, loading.n_gpu_layers) == (2048, 3, 5)


def test_every_sampler_reaches_the_backend() -> None:
    options = effective(
        {
            "dynamic_range": 0.5,
            "typical_p": 0.9,
            "xtc_probability": 0.25,
            "dry_multiplier": 0.8,
            "repeat_last_n": -1,
            "presence_penalty": -1.0,
            "mirostat": 2,
            "logit_bias": "however=-5\n#7=2.5",
            "sampler_order": "top_k, temperature",
        }
    )
    sampling = sampling_of(options)
    assert (sampling.dynamic_range, sampling.typical_p, sampling.xtc_probability) == (
        0.5,
        0.9,
        0.25,
    )
    assert (sampling.dry_multiplier, sampling.repeat_last_n) == (0.8, -1)
    assert (sampling.presence_penalty, sampling.mirostat) == (-1.0, 2)
    assert sampling.logit_bias == (TokenBias("however", -5), TokenBias(7, 2.5))
    assert sampling.order == ("top_k", "temperature")


def test_how_the_model_is_loaded_follows_the_options() -> None:
    options = effective(
        {
            "cache_type": "q8_0",
            "flash_attention": "on",
            "mmap": 0,
            "mlock": 1,
            "rpc_servers": "one.example:50052 10.0.0.2:50052",
        }
    )
    keep = StateKeeping(folder="states", limit_bytes=7)
    loading = load_options(options, keep=keep)
    assert (loading.cache_type, loading.flash_attention) == ("q8_0", "on")
    assert (loading.mmap, loading.mlock, loading.keep) == (False, True, keep)
    assert loading.rpc_servers == ("one.example:50052", "10.0.0.2:50052")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"answer_format": "json"}, Grammar("json_schema", '{"type": "object"}')),
        (
            {"answer_format": "json_schema", "answer_schema": '{"type": "null"}'},
            Grammar("json_schema", '{"type": "null"}'),
        ),
        (
            {"answer_format": "grammar", "answer_grammar": 'root ::= "yes"'},
            Grammar("gbnf", 'root ::= "yes"'),
        ),
    ],
)
def test_the_format_of_an_answer_is_a_grammar(options, expected) -> None:
    assert chat_request([], effective(options)).grammar == expected


@pytest.mark.parametrize("missing", ["json_schema", "grammar"])
def test_a_format_without_its_text_is_refused_in_words(missing) -> None:
    with pytest.raises(AppError, match="has none"):
        chat_request([], effective({"answer_format": missing}))


def test_probabilities_and_copying_ahead_are_asked_for_where_wanted() -> None:
    plain = chat_request([], effective())
    assert (plain.logprobs, plain.lookup) == (-1, False)
    wanted = chat_request([], effective({"logprobs": 1, "lookup": 1, "answer_reserve": 512}))
    assert wanted.answer_reserve == 512
    assert chat_request([], effective({})).answer_reserve == -1
    assert (wanted.logprobs, wanted.lookup) == (5, True)


@pytest.mark.parametrize(("value", "think"), [("auto", None), ("on", True), ("off", False)])
def test_whether_to_think_is_asked_where_somebody_chose(value, think) -> None:
    assert chat_request((), effective({"thinking": value})).think is think
