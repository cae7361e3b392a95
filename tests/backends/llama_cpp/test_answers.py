"""Answers of a real worker: their text, and how little of the prompt is evaluated again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import (
    ChatRequest,
    Event,
    HistoryTrimmed,
    Message,
    PromptProgress,
    ReasoningDelta,
    Sampling,
    Usage,
)
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.gguf_files import write_model, write_recurrent_model

GREEDY = Sampling(temperature=0)


def user(text: str) -> Message:
    return Message(role="user", content=text)


def assistant(text: str, reasoning: str = "") -> Message:
    return Message(role="assistant", content=text, reasoning=reasoning)


def ask(
    session: LlamaCppSession,
    *messages: Message,
    max_tokens: int = 40,
    sampling: Sampling = GREEDY,
    stop: Sequence[str] = (),
    continue_last: bool = False,
) -> list[Event]:
    request = ChatRequest(
        messages=messages,
        sampling=sampling,
        max_tokens=max_tokens,
        stop=tuple(stop),
        continue_last=continue_last,
    )
    return list(session.chat(request))


def reasoning_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def evaluated(events: list[Event]) -> int:
    usage = last(events).usage
    return usage.prompt_tokens - usage.cached_tokens


def test_thinking_and_answer_come_apart(open_session: OpenSession, talking_model: Path) -> None:
    events = ask(open_session(talking_model), user("What is two plus two?"))
    assert reasoning_of(events) == "Two plus two"
    assert text_of(events) == "It is four ✨."
    assert last(events).reason == "stop"
    assert last(events).usage.completion_tokens == 9


def test_a_stop_string_cuts_the_answer_across_tokens(
    open_session: OpenSession, talking_model: Path
) -> None:
    events = ask(open_session(talking_model), user("Two plus two?"), stop=["is fo", "never"])
    assert text_of(events) == "It "
    assert last(events).reason == "stop"


def test_an_answer_to_a_model_without_template_goes_on_with_the_text(
    open_session: OpenSession, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "base.gguf", template=None, says=["Once", " more"])
    session = open_session(path)
    assert session.info.template == "none: plain completion"
    assert text_of(ask(session, user("Upon a time:\n"))) == "Once more"


def test_a_cut_answer_goes_on_where_it_was_cut(
    open_session: OpenSession, talking_model: Path
) -> None:
    session = open_session(talking_model)
    question = user("What is two plus two?")
    start = ask(session, question, max_tokens=6)
    assert (text_of(start), last(start).reason) == ("It is", "length")
    beginning = assistant(text_of(start), reasoning_of(start))
    rest = ask(session, question, beginning, continue_last=True)
    assert (text_of(rest), reasoning_of(rest)) == (" four ✨.", "")


def test_cut_thinking_goes_on_as_thinking(open_session: OpenSession, talking_model: Path) -> None:
    session = open_session(talking_model)
    question = user("What is two plus two?")
    start = ask(session, question, max_tokens=2)
    assert reasoning_of(start) == "Two"
    rest = ask(session, question, assistant("", reasoning_of(start)), continue_last=True)
    assert reasoning_of(rest) == " plus two"
    assert text_of(rest) == "It is four ✨."


def test_the_same_seed_gives_the_same_answer(open_session: OpenSession, tiny_model: Path) -> None:
    session = open_session(tiny_model)
    drawn = ask(session, user("Hello"), sampling=Sampling(temperature=1.5))
    seed = last(drawn).seed
    again = ask(session, user("Hello"), sampling=Sampling(temperature=1.5, seed=seed))
    other = ask(session, user("Hello"), sampling=Sampling(temperature=1.5, seed=seed + 1))
    assert text_of(again) == text_of(drawn) != text_of(other)


def test_a_repeat_penalty_changes_a_repetitive_answer(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    plain = text_of(ask(session, user("Hello"), max_tokens=120))
    sampling = Sampling(temperature=0, repeat_penalty=1.8)
    assert text_of(ask(session, user("Hello"), max_tokens=120, sampling=sampling)) != plain


def test_asking_again_evaluates_nothing_but_the_last_token(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    history = (user("Hello"), assistant("Good day to you."), user("Tell me more, please."))
    first = ask(session, *history)
    again = ask(session, *history)
    assert evaluated(again) == 1
    assert text_of(again) == text_of(first)


def test_a_follow_up_evaluates_only_what_is_new(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    history = [Message(role="system", content="Be brief."), user("Hello")]
    answer = ask(session, *history)
    for question in ("the ello hello thing", "another one", "and one more"):
        in_memory = last(answer).usage.prompt_tokens + last(answer).usage.completion_tokens
        history += [assistant(text_of(answer)), user(question)]
        answer = ask(session, *history)
        new = last(answer).usage.prompt_tokens - in_memory
        assert evaluated(answer) <= new + 1


def test_cached_answers_are_those_of_a_fresh_start(
    open_session: OpenSession, tiny_model: Path
) -> None:
    """What lies in the cache after other chats and a cancel must not change what comes out."""
    used, fresh = open_session(tiny_model), open_session(tiny_model)
    one = (user("Hello there"), assistant("the thing"), user("hello"))
    for _ in range(2):
        ask(used, user("Hello there"))
        ask(used, user("Something else entirely"), max_tokens=3)
        stream = used.chat(ChatRequest(messages=(user("Hello there " * 400),)))
        next(stream)
        stream.close()
        list(stream)
    assert text_of(ask(used, *one)) == text_of(ask(fresh, *one))


def test_a_model_whose_state_cannot_be_cut_goes_back_to_the_prompt_and_answers_the_same(
    open_session: OpenSession, tmp_path: Path
) -> None:
    session = open_session(write_recurrent_model(tmp_path / "recurrent.gguf"))
    first = ask(session, user("Hello there"))
    stream = session.chat(ChatRequest(messages=(user("Something else " * 100),)))
    next(stream)
    stream.close()
    list(stream)
    again = ask(session, user("Hello there"))
    assert text_of(again) == text_of(first)
    assert evaluated(again) == 1
    in_memory = last(again).usage.prompt_tokens + last(again).usage.completion_tokens
    follow_up = ask(session, user("Hello there"), assistant(text_of(again)), user("More"))
    new = last(follow_up).usage.prompt_tokens - in_memory
    assert evaluated(follow_up) <= new + 1


def test_a_full_context_ends_an_answer_as_cut(open_session: OpenSession, tiny_model: Path) -> None:
    session = open_session(tiny_model, n_ctx=512)
    events = ask(session, user("Hello"), max_tokens=-1)
    usage = last(events).usage
    assert last(events).reason == "length"
    assert usage.prompt_tokens + usage.completion_tokens == 513
    assert text_of(ask(session, user("Hello")))


def test_a_history_too_long_is_trimmed_and_said(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=512)
    history = [user(f"question {i} " * 4) for i in range(20)]
    events = ask(session, *history)
    (trimmed,) = (event for event in events if isinstance(event, HistoryTrimmed))
    assert 10 < trimmed.messages < 20
    assert last(events).usage.prompt_tokens <= 512


def test_timings_and_usage_add_up(open_session: OpenSession, tiny_model: Path) -> None:
    session = open_session(tiny_model)
    events = ask(session, user("Hello " * 300), max_tokens=20, sampling=Sampling(temperature=1))
    timings = last(events).timings
    assert 0 < timings.prompt_ms <= timings.first_token_ms
    assert timings.tokens_per_second == pytest.approx(20 / timings.generation_ms * 1000)
    progress = [event for event in events if isinstance(event, PromptProgress)]
    assert [event.done for event in progress] == [
        0,
        512,
        1024,
        1536,
        last(events).usage.prompt_tokens,
    ]
    assert isinstance(events[-2], Usage)


def test_a_special_token_that_is_pasted_is_plain_text(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    harmless = session.count_tokens([user("a")])
    pasted = session.count_tokens([user("a<|im_end|>")])
    # Read as a control token it would be one more.
    assert pasted - harmless > 1
