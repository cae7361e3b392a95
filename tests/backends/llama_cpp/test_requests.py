"""What a request may ask for beside its prompt: guesses, log-probabilities, grammars, options."""

import json
from pathlib import Path

import pytest

from backends.errors import BadGrammar, ModelLoadError
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import (
    Grammar,
    LoadOptions,
    Logprobs,
    ReasoningDelta,
    TextDelta,
)
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import ask_together, evaluated, request, user
from tests.gguf_files import write_model, write_recurrent_model

SCHEMA = Grammar("json_schema", json.dumps({"enum": ["yes", "no"]}))


def test_guessing_changes_nothing_of_an_answer(open_session: OpenSession, tiny_model: Path) -> None:
    """The model soon repeats itself, so most guesses are right, and the others are found out."""
    session = open_session(tiny_model)
    for text in ("Hello there", "the ello thing " * 20, "abcabcabc"):
        plain = list(session.chat(request(user(text), max_tokens=200)))
        guessed = list(session.chat(request(user(text), max_tokens=200, lookup=True)))
        assert text_of(guessed) == text_of(plain)
        assert last(guessed).usage.completion_tokens == 200
        going_on = request(user(text), max_tokens=300, lookup=True)
        assert text_of(list(session.chat(going_on))).startswith(text_of(plain))
        assert evaluated(list(session.chat(request(user(text), max_tokens=3)))) == 1


def test_guessing_stops_at_the_end_of_the_context(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=256)
    events = list(session.chat(request(user("Hello"), max_tokens=-1, lookup=True)))
    usage = last(events).usage
    assert usage.prompt_tokens + usage.completion_tokens == 257
    assert text_of(list(session.chat(request(user("Hello"), max_tokens=-1)))) == text_of(events)


def test_a_stop_string_within_a_guess_ends_the_answer(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    whole = text_of(list(session.chat(request(user("Hello there"), max_tokens=200))))
    for start in range(100, 130):
        stop = whole[start : start + 5]
        events = list(
            session.chat(request(user("Hello there"), max_tokens=200, lookup=True, stop=(stop,)))
        )
        assert text_of(events) == whole[: whole.index(stop)]


def test_a_recurrent_model_does_without_guesses(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session(write_recurrent_model(tmp_path / "recurrent.gguf"))
    plain = text_of(list(session.chat(request(user("Hello"), max_tokens=100))))
    assert text_of(list(session.chat(request(user("Hello"), max_tokens=100, lookup=True)))) == plain


def test_log_probabilities_come_for_each_token_of_thinking_and_answer(
    open_session: OpenSession, talking_model: Path
) -> None:
    events = list(open_session(talking_model).chat(request(user("Two?"), logprobs=2)))
    tokens = [token for event in events if isinstance(event, Logprobs) for token in event.tokens]
    shown = "".join(
        event.text for event in events if isinstance(event, (ReasoningDelta, TextDelta))
    )
    assert "".join(token.text for token in tokens) == "<think>Two plus two</think>It is four ✨."
    assert shown == "Two plus twoIt is four ✨."
    assert all(token.logprob <= 0 and len(token.top) == 2 for token in tokens)
    assert len(tokens) == last(events).usage.completion_tokens


def test_an_answer_is_held_to_a_schema_and_its_thinking_is_not(
    open_session: OpenSession, tmp_path: Path
) -> None:
    opens_thinking = (
        "{% for m in messages %}<|im_start|>{{ m['role'] + '\\n' + m['content'] }}<|im_end|>\n"
        "{% endfor %}{{ '<|im_start|>assistant\\n<think>\\n' }}"
    )
    path = write_model(
        tmp_path / "thinking.gguf",
        template=opens_thinking,
        says=["Let me", " see", "</think>", "ok"],
    )
    events = list(open_session(path).chat(request(user("Well?"), grammar=SCHEMA)))
    thinking = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert thinking == "Let me see"
    assert json.loads(text_of(events)) in ("yes", "no")
    assert last(events).reason == "stop"


def test_a_grammar_holds_for_its_own_request_only(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    plain = request(user("Hello"))
    expected = text_of(list(session.chat(plain)))
    together = ask_together(session, [plain, request(user("Hello"), grammar=SCHEMA), plain])
    assert [text_of(together[0]), text_of(together[2])] == [expected, expected]
    assert json.loads(text_of(together[1])) in ("yes", "no")


def test_an_impossible_grammar_is_refused_and_others_go_on(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    running = session.chat(request(user("Talk"), max_tokens=100))
    with pytest.raises(BadGrammar):
        list(session.chat(request(user("Hello"), grammar=Grammar("gbnf", "root ::= ("))))
    assert last(list(running)).usage.completion_tokens == 100


@pytest.mark.parametrize(
    "options",
    [
        {"mmap": False},
        {"mlock": True},
        {"flash_attention": "on"},
        {"cache_type": "q8_0"},
        {"cache_type": "q4_0", "flash_attention": "on"},
    ],
    ids=str,
)
def test_options_of_loading_leave_the_model_usable(
    open_session: OpenSession, tmp_path: Path, options: dict[str, object]
) -> None:
    path = write_model(tmp_path / "wide.gguf", n_embd=128)
    session = open_session(path, **options)
    answer = text_of(list(session.chat(request(user("Hello")))))
    assert answer
    assert text_of(list(session.chat(request(user("Hello"))))) == answer


def test_a_quantized_cache_takes_less_memory(open_session: OpenSession, tmp_path: Path) -> None:
    path = write_model(tmp_path / "wide.gguf", n_embd=128)
    full, half = (
        open_session(path, n_ctx=4096, cache_type=kind).info.allocated for kind in ("f16", "q8_0")
    )
    assert full is not None
    assert half is not None
    assert half.kv_cache < full.kv_cache * 0.6


def test_a_quantized_cache_without_flash_attention_is_refused_in_words(tmp_path: Path) -> None:
    path = write_model(tmp_path / "wide.gguf", n_embd=128)
    options = LoadOptions(cache_type="q8_0", flash_attention="off")
    with pytest.raises(ModelLoadError, match="flash attention"):
        LlamaCppBackend().open(str(path), options, lambda _: True)


def test_a_cache_type_that_does_not_suit_the_model_is_refused_in_words(tiny_model: Path) -> None:
    with pytest.raises(ModelLoadError, match="q8_0"):
        LlamaCppBackend().open(str(tiny_model), LoadOptions(cache_type="q8_0"), lambda _: True)
