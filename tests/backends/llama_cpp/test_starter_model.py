"""The engine on a real model, whose answers can be right or wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import ChatRequest, LoadOptions, Message, Sampling
from backends.testing import last, text_of

pytestmark = pytest.mark.model

FRANCE = Message(role="user", content="Name the capital of France.")


@pytest.fixture(scope="module")
def session(starter_model: Path) -> Iterator[LlamaCppSession]:
    session = LlamaCppBackend().open(str(starter_model), LoadOptions(n_ctx=2048), lambda _: True)
    yield session
    session.close()


def greedy(*messages: Message, max_tokens: int = 60) -> ChatRequest:
    return ChatRequest(messages=messages, sampling=Sampling(temperature=0), max_tokens=max_tokens)


def test_knows_the_capital_of_france(session: LlamaCppSession) -> None:
    events = list(session.chat(greedy(FRANCE)))
    assert "Paris" in text_of(events)
    assert last(events).reason == "stop"
    assert "<|im_end|>" not in text_of(events)


def test_a_follow_up_understands_the_history_and_evaluates_little(
    session: LlamaCppSession,
) -> None:
    first = list(session.chat(greedy(FRANCE)))
    spain = Message(role="user", content="And of Spain?")
    history = (FRANCE, Message(role="assistant", content=text_of(first)), spain)
    second = list(session.chat(greedy(*history)))
    assert "Madrid" in text_of(second)
    usage = last(second).usage
    in_memory = last(first).usage.prompt_tokens + last(first).usage.completion_tokens
    new = usage.prompt_tokens - in_memory
    assert usage.prompt_tokens - usage.cached_tokens <= new + 8


def test_the_system_prompt_counts(session: LlamaCppSession) -> None:
    question = Message(role="user", content="What is your name?")
    system = Message(
        role="system", content="Your name is Zebulon. Always say that you are Zebulon."
    )
    assert "Zebulon" not in text_of(list(session.chat(greedy(question))))
    assert "Zebulon" in text_of(list(session.chat(greedy(system, question))))


def test_a_continued_answer_is_what_an_uncut_one_would_have_been(
    session: LlamaCppSession,
) -> None:
    question = Message(role="user", content="Tell me about the sea.")
    whole = text_of(list(session.chat(greedy(question, max_tokens=40))))
    start = text_of(list(session.chat(greedy(question, max_tokens=15))))
    beginning = Message(role="assistant", content=start)
    rest = list(
        session.chat(
            ChatRequest(
                messages=(question, beginning),
                sampling=Sampling(temperature=0),
                max_tokens=25,
                continue_last=True,
            )
        )
    )
    assert start + text_of(rest) == whole


def test_says_what_it_is(session: LlamaCppSession) -> None:
    assert "Smollm2" in session.info.model
    assert session.info.template == "from the file"
    assert (session.info.n_ctx, session.info.n_ctx_train) == (2048, 8192)
