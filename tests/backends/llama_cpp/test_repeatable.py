"""An equal request gives an equal answer, whatever was asked before.

The log-probabilities are compared to the last bit: where they are equal, so is every choice.
"""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import (
    ChatRequest,
    Event,
    LoadOptions,
    Logprobs,
    Message,
    Sampling,
    StateKeeping,
)
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import ask_together, assistant, evaluated, user
from tests.gguf_files import write_model, write_recurrent_model

SYSTEM = Message(role="system", content="Say the thing that is to be said. " * 8)
CHAT = (SYSTEM, user("One hello"), assistant("the ello thing of it"), user("Two, and go on"))
GREEDY = Sampling(temperature=0)
SEEDED = Sampling(temperature=1.2, seed=5)
BY_CHANCE = Sampling(temperature=1.0)

LEAST_STEP = 20
"""Tokens that may be read again of a beginning that others share, beside what a message adds."""


@pytest.fixture(scope="module", params=["F32", "Q8_0", "recurrent"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.gguf"
    if request.param == "recurrent":
        return write_recurrent_model(path)
    return write_model(path, weights=request.param, context_length=32_768)


def asked(*messages: Message, sampling: Sampling = SEEDED, **more: Any) -> ChatRequest:
    more = {"max_tokens": 20, "logprobs": 1, **more}
    return ChatRequest(messages=messages, sampling=sampling, **more)


def answer(session: LlamaCppSession, request: ChatRequest) -> list[Event]:
    return list(session.chat(request))


def chosen(events: list[Event]) -> list[object]:
    """Every token with its exact log-probability."""
    return [token for event in events if isinstance(event, Logprobs) for token in event.tokens]


def ask_others(session: LlamaCppSession, chance: random.Random, longest: int = 60) -> None:
    """What others ask: with the same beginning, with another one, and longer."""
    for _ in range(chance.randrange(3)):
        beginning = CHAT[: chance.randrange(4)]
        words = "and something " * chance.randrange(1, longest)
        request = asked(*beginning, user(words), sampling=BY_CHANCE, logprobs=-1)
        answer(
            session,
            msgspec.structs.replace(request, max_tokens=chance.randrange(1, min(20, longest))),
        )


@pytest.mark.parametrize("sampling", [GREEDY, SEEDED], ids=["temperature 0", "seed"])
def test_an_equal_request_is_answered_equally(
    open_session: OpenSession, model: Path, sampling: Sampling
) -> None:
    session = open_session(model)
    requests = [asked(*CHAT[:2], sampling=sampling), asked(*CHAT, sampling=sampling)]
    expected = [chosen(answer(open_session(model), request)) for request in requests]
    chance = random.Random(1)
    for _ in range(4):
        for request, tokens in zip(requests, expected, strict=True):
            ask_others(session, chance)
            assert chosen(answer(session, request)) == tokens


def test_what_was_computed_together_with_others_does_not_count(
    open_session: OpenSession, model: Path
) -> None:
    session = open_session(model)
    expected = chosen(answer(open_session(model), asked(*CHAT)))
    others = [asked(*CHAT[:2], user(text), sampling=BY_CHANCE) for text in ("one", "two two")]
    ask_together(session, [*others, asked(*CHAT)])
    assert chosen(answer(session, asked(*CHAT))) == expected


@pytest.mark.parametrize("sampling", [GREEDY, SEEDED], ids=["temperature 0", "seed"])
def test_an_answer_is_given_anew_in_a_chat_that_goes_on(
    open_session: OpenSession, model: Path, sampling: Sampling
) -> None:
    session = open_session(model)
    first = answer(session, asked(*CHAT[:2], sampling=sampling))
    chat = (*CHAT[:2], assistant(text_of(first)), CHAT[3])
    second = answer(session, asked(*chat, sampling=sampling))
    ask_others(session, random.Random(2))
    again = answer(session, asked(*chat, sampling=sampling))
    assert chosen(again) == chosen(second)
    assert evaluated(again) == 1


def test_a_continued_answer_is_what_an_uncut_one_would_have_been(
    open_session: OpenSession, model: Path
) -> None:
    session = open_session(model)
    whole = chosen(answer(session, asked(*CHAT[:2], sampling=GREEDY)))
    start = answer(session, asked(*CHAT[:2], sampling=GREEDY, max_tokens=8))
    begun = (*CHAT[:2], assistant(text_of(start)))
    rest = answer(session, asked(*begun, sampling=GREEDY, max_tokens=12, continue_last=True))
    assert chosen(start) + chosen(rest) == whole


def test_with_a_seed_it_does_not_matter_who_wrote_the_history(
    open_session: OpenSession, model: Path
) -> None:
    session, fresh = open_session(model), open_session(model)
    first = answer(session, asked(*CHAT[:2]))
    chat = (*CHAT[:2], assistant(text_of(first)), CHAT[3])
    assert chosen(answer(session, asked(*chat))) == chosen(answer(fresh, asked(*chat)))


def test_a_follow_up_at_temperature_0_reads_nothing_again(
    open_session: OpenSession, model: Path
) -> None:
    session = open_session(model)
    first = answer(session, asked(*CHAT[:2], sampling=GREEDY))
    chat = (*CHAT[:2], assistant(text_of(first)), CHAT[3])
    usage = last(first).usage
    second = answer(session, asked(*chat, sampling=GREEDY))
    known = usage.prompt_tokens + usage.completion_tokens
    assert evaluated(second) <= last(second).usage.prompt_tokens - known + 8


def test_a_shared_system_prompt_is_not_read_again(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    answer(session, asked(SYSTEM, user("One")))
    other = answer(session, asked(SYSTEM, user("Another one")))
    alone = session.count_tokens([user("Another one")])
    assert evaluated(other) <= alone + LEAST_STEP


def test_a_state_from_the_disk_gives_the_same_answer(
    open_session: OpenSession, model: Path, tmp_path: Path
) -> None:
    keep = StateKeeping(folder=str(tmp_path / "states"), limit_bytes=1 << 30)

    def opened() -> LlamaCppSession:
        options = LoadOptions(n_threads=1, keep=keep)
        return LlamaCppBackend().open(str(model), options, lambda _: True)

    session = opened()
    expected = answer(session, asked(*CHAT, sampling=GREEDY))
    session.close()
    session = opened()
    again = answer(session, asked(*CHAT, sampling=GREEDY))
    session.close()
    assert chosen(again) == chosen(expected)


def test_copying_ahead_does_not_change_the_answer(
    open_session: OpenSession, tiny_model: Path
) -> None:
    copied = asked(user("hello the ello thing " * 12), lookup=True, max_tokens=60, sampling=GREEDY)
    expected = chosen(answer(open_session(tiny_model), copied))
    session = open_session(tiny_model)
    for _ in range(3):
        ask_others(session, random.Random(3))
        assert chosen(answer(session, copied)) == expected


@pytest.mark.model
@pytest.mark.parametrize("sampling", [GREEDY, SEEDED], ids=["temperature 0", "seed"])
def test_the_starter_model_answers_twenty_times_the_same(
    open_session: OpenSession, starter_model: Path, sampling: Sampling
) -> None:
    question = asked(user("Name a colour."), sampling=sampling, max_tokens=12)
    chance = random.Random(4)
    session = open_session(starter_model, n_ctx=1024)
    answers = []
    for _ in range(20):
        ask_others(session, chance, longest=6)
        answers.append(chosen(answer(session, question)))
    fresh = open_session(starter_model, n_ctx=1024)
    assert all(each == chosen(answer(fresh, question)) for each in answers)
