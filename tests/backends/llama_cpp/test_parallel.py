"""Requests that run together: each answer is the one it would have been alone."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import Event, PromptProgress, TextDelta
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import (
    adapters,
    ask_together,
    evaluated,
    request,
    user,
)
from tests.gguf_files import write_adapter, write_model, write_recurrent_model

QUESTIONS = ("Hello there", "the ello thing is", "What now?", "ten and ten, then " * 20)


@pytest.fixture(params=[write_model, write_recurrent_model], ids=["attention", "recurrent"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write: Callable[..., Path] = request.param
    return write(tmp_path / "model.gguf", context_length=8192)


def alone(session: LlamaCppSession, max_tokens: int = 30) -> list[str]:
    return [
        text_of(list(session.chat(request(user(question), max_tokens=max_tokens))))
        for question in QUESTIONS
    ]


def test_four_at_once_answer_as_each_does_alone(open_session: OpenSession, model: Path) -> None:
    expected = alone(open_session(model))
    together = ask_together(open_session(model), [request(user(text)) for text in QUESTIONS])
    assert [text_of(events) for events in together] == expected
    assert {last(events).reason for events in together} == {"length"}


def test_more_requests_than_sequences_wait_for_their_turn(
    open_session: OpenSession, model: Path
) -> None:
    session = open_session(model)
    questions = [user(f"{number} " + QUESTIONS[number % 4]) for number in range(20)]
    together = ask_together(session, [request(each, max_tokens=8) for each in questions])
    fresh = open_session(model)
    for question, events in zip(questions, together, strict=True):
        assert text_of(events) == text_of(list(fresh.chat(request(question, max_tokens=8))))


def test_cancelling_one_of_four_leaves_the_others_as_they_were(
    open_session: OpenSession, model: Path
) -> None:
    session = open_session(model)
    expected = alone(session, 120)
    ended = request(user("Something else, without an end"), max_tokens=-1)
    for _ in range(3):
        stream = session.chat(ended)
        others = [session.chat(request(user(text), max_tokens=120)) for text in QUESTIONS]
        while not isinstance(next(stream), TextDelta):
            pass
        stream.close()
        assert [text_of(list(other)) for other in others] == expected
        assert last(list(stream)).reason == "cancelled"


def test_a_long_prompt_does_not_hold_up_the_tokens_of_others(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=16_384)
    talking = session.chat(request(user("Talk"), max_tokens=-1))
    while not isinstance(next(talking), TextDelta):
        pass
    reading = session.chat(request(user("abcdefg " * 1500), max_tokens=1))
    arrived: list[Event] = []
    while not isinstance(arrived[-1] if arrived else None, TextDelta):
        arrived.append(next(reading))
    pieces = [event.done for event in arrived if isinstance(event, PromptProgress)]
    assert len(pieces) > 10_000 // 512, "it was read in whole batches"
    talking.close()
    tokens = sum(isinstance(event, TextDelta) for event in talking)
    assert tokens >= len(pieces) - 5


def test_prompts_that_come_together_are_read_one_after_the_other(
    open_session: OpenSession, tiny_model: Path
) -> None:
    """The first has its first token when only its own prompt has been read, not both."""
    session = open_session(tiny_model, n_ctx=16_384)
    streams = [
        session.chat(request(user(f"{number} " + "abcdefg " * 750), max_tokens=1))
        for number in range(2)
    ]
    read = 0.0
    at_first_token: list[float] = []

    def follow_second() -> None:
        nonlocal read
        for event in streams[1]:
            if isinstance(event, PromptProgress):
                read = event.done / event.total

    second = threading.Thread(target=follow_second)
    second.start()
    for event in streams[0]:
        if isinstance(event, TextDelta):
            at_first_token.append(read)
    second.join()
    assert read == 1
    assert at_first_token[0] < 0.5


def test_requests_that_fill_the_context_together_all_get_their_answers(
    open_session: OpenSession, tmp_path: Path
) -> None:
    """They have room one after the other, and nobody is told that there was a shortage."""
    path = write_model(tmp_path / "tiny.gguf", context_length=8192)
    requests = [
        request(user(f"{number}" + "the ello " * 60), max_tokens=100) for number in range(4)
    ]
    together = ask_together(open_session(path, n_ctx=512), requests)
    roomy = open_session(path, n_ctx=4096)
    assert [text_of(events) for events in together] == [
        text_of(list(roomy.chat(each))) for each in requests
    ]
    assert all(last(events).usage.completion_tokens == 100 for events in together)


def test_two_that_grow_into_each_other_go_on_one_after_the_other(
    open_session: OpenSession, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "tiny.gguf", context_length=8192)
    requests = [request(user(f"{number} and so on"), max_tokens=300) for number in range(3)]
    together = ask_together(open_session(path, n_ctx=512), requests)
    roomy = open_session(path, n_ctx=4096)
    assert [text_of(events) for events in together] == [
        text_of(list(roomy.chat(each))) for each in requests
    ]


def test_the_system_prompt_of_a_running_chat_is_shared(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    beginning = "You are the one that talks. " * 10
    running = session.chat(request(user(beginning + "Talk"), max_tokens=-1))
    while not isinstance(next(running), TextDelta):
        pass
    events = list(session.chat(request(user(beginning + "Stop"))))
    running.close()
    list(running)
    assert evaluated(events) < 40
    fresh = open_session(tiny_model)
    assert text_of(events) == text_of(list(fresh.chat(request(user(beginning + "Stop")))))


def test_requests_with_different_adapters_take_turns(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    one = write_adapter(tmp_path / "one.gguf")
    other = write_adapter(tmp_path / "other.gguf", seed=2)
    stacks = (adapters(), adapters((one, 1.0)), adapters((one, 0.5), (other, -1.0)))
    requests = [
        request(user("Hello"), adapters=stack, max_tokens=60) for stack in (*stacks, *stacks)
    ]
    session = open_session(tiny_model)
    expected = [text_of(list(session.chat(each))) for each in requests[:3]]
    assert len(set(expected)) == 3
    together = ask_together(open_session(tiny_model), requests)
    assert [text_of(events) for events in together] == [*expected, *expected]


def test_tokens_are_counted_while_an_answer_is_given(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=32_768)
    running = session.chat(request(user("Talk"), max_tokens=-1))
    next(running)
    assert session.count_tokens([user("Hello")]) > 0
    running.close()
    assert last(list(running)).reason == "cancelled"


@pytest.mark.parametrize("n_ctx", [4096, 512], ids=["no slot", "no room"])
def test_who_asks_in_person_does_not_wait_for_those_in_the_background(
    open_session: OpenSession, tmp_path: Path, n_ctx: int
) -> None:
    path = write_model(tmp_path / "tiny.gguf", context_length=8192)
    session = open_session(path, n_ctx=n_ctx)
    requests = [
        msgspec.structs.replace(
            request(user(f"{number} and so on"), max_tokens=120), background=True
        )
        for number in range(12)
    ]
    streams = [session.chat(each) for each in requests]
    heard = [iter(stream) for stream in streams]
    while not isinstance(next(heard[0]), TextDelta):
        pass
    answer = list(session.chat(request(user("And me? " * 12), max_tokens=4)))
    assert last(answer).usage.completion_tokens == 4
    assert not any(stream._replies.ended.is_set() for stream in streams)
    roomy = open_session(path, n_ctx=4096)
    for each, events in zip(requests[1:], [list(each) for each in heard[1:]], strict=True):
        assert text_of(events) == text_of(list(roomy.chat(each)))
    list(heard[0])


def test_every_chat_of_the_person_begins_while_the_background_fills_all_slots(
    open_session: OpenSession, model: Path
) -> None:
    """Those who made room go on afterwards, and answer as they would have."""
    session = open_session(model)
    background = [
        msgspec.structs.replace(
            request(user(f"{number} and so on"), max_tokens=150), background=True
        )
        for number in range(8)
    ]
    streams = [session.chat(each) for each in background]
    heard = [iter(stream) for stream in streams]
    while not isinstance(next(heard[0]), TextDelta):
        pass
    chats = [session.chat(request(user(f"And {number}?"), max_tokens=140)) for number in range(3)]
    begun = [iter(chat) for chat in chats]
    for events in begun:
        while not isinstance(next(events), TextDelta):
            pass
    assert not any(stream._replies.ended.is_set() for stream in (*streams, *chats))
    for events in begun:
        list(events)
    alone = open_session(model)
    for each, events in zip(background[1:], heard[1:], strict=True):
        assert text_of(list(events)) == text_of(list(alone.chat(each)))
    list(heard[0])
