"""The engine on a real model, whose answers can be right or wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import ChatRequest, LoadOptions, Logprobs, Message, Sampling
from backends.testing import last, text_of

pytestmark = pytest.mark.model

CLEARLY = 1.0
"""Nats between the two likeliest tokens. Kernels differ by a quarter of one at most."""

FRANCE = Message(role="user", content="Name the capital of France.")


@pytest.fixture(scope="module")
def session(starter_model: Path) -> Iterator[LlamaCppSession]:
    session = LlamaCppBackend().open(str(starter_model), LoadOptions(n_ctx=2048), lambda _: True)
    yield session
    session.close()


def greedy(*messages: Message, max_tokens: int = 60) -> ChatRequest:
    return ChatRequest(messages=messages, sampling=Sampling(temperature=0), max_tokens=max_tokens)


def likeliest(session: LlamaCppSession, *messages: Message) -> str:
    """What the last message goes on with, clearly: how a processor rounds does not change it."""
    request = ChatRequest(
        messages=messages,
        sampling=Sampling(temperature=0),
        max_tokens=1,
        continue_last=True,
        logprobs=2,
    )
    (token,) = (
        token
        for event in session.chat(request)
        if isinstance(event, Logprobs)
        for token in event.tokens
    )
    (first, best), (_, second) = token.top
    return first if best - second > CLEARLY else ""


def test_knows_the_capital_of_france(session: LlamaCppSession) -> None:
    begun = Message(role="assistant", content="The capital is")
    assert likeliest(session, FRANCE, begun) == " Paris"


def test_control_tokens_are_no_text(session: LlamaCppSession) -> None:
    events = list(session.chat(greedy(FRANCE)))
    assert text_of(events)
    assert "<|im_end|>" not in text_of(events)


def test_a_follow_up_understands_the_history_and_evaluates_little(
    session: LlamaCppSession,
) -> None:
    first = list(session.chat(greedy(FRANCE)))
    spain = Message(role="user", content="And of Spain?")
    history = (FRANCE, Message(role="assistant", content=text_of(first)), spain)
    second = list(session.chat(greedy(*history)))
    usage = last(second).usage
    in_memory = last(first).usage.prompt_tokens + last(first).usage.completion_tokens
    new = usage.prompt_tokens - in_memory
    assert usage.prompt_tokens - usage.cached_tokens <= new + 8

    paris = Message(role="assistant", content="The capital of France is Paris.")
    begun = Message(role="assistant", content="The capital is")
    assert likeliest(session, FRANCE, paris, spain, begun) == " Madrid"


def test_the_system_prompt_counts(session: LlamaCppSession) -> None:
    question = Message(role="user", content="What is your name?")
    system = Message(
        role="system", content="Your name is Zebulon. Always say that you are Zebulon."
    )
    begun = Message(role="assistant", content="I am Z")
    assert likeliest(session, system, question, begun) == "eb"
    assert likeliest(session, question, begun) != "eb"


def test_says_what_it_is(session: LlamaCppSession) -> None:
    assert "Smollm2" in session.info.model
    assert session.info.template == "from the file"
    assert (session.info.n_ctx, session.info.n_ctx_train) == (2048, 8192)
