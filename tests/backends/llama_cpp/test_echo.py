"""A prompt that comes back, each token with how likely the model found it."""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import llama_cpp.llama_cpp as native
import msgspec
import numpy as np
import pytest

from backends.errors import Unsupported
from backends.llama_cpp.context import most_logits
from backends.llama_cpp.echo import Echo
from backends.llama_cpp.model import Model
from backends.protocol import (
    ChatRequest,
    Event,
    Logprobs,
    PromptEcho,
    PromptToken,
    Sampling,
    TokenLogprob,
)
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import ask_together, request, user
from tests.backends.llama_cpp.evaluated import Evaluated
from tests.gguf_files import write_model, write_recurrent_model

GREEDY = Sampling(temperature=0)
SCORED = ChatRequest(prompt="hello the thing", echo=True, logprobs=2, max_tokens=0, sampling=GREEDY)
LONG = "hello the thing is " * 120


@pytest.fixture(params=[write_model, write_recurrent_model], ids=["attention", "recurrent"])
def any_model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write: Callable[..., Path] = request.param
    return write(tmp_path / "model.gguf", context_length=4096)


def echoed(events: Sequence[Event]) -> list[PromptToken]:
    return [token for event in events if isinstance(event, PromptEcho) for token in event.tokens]


def echoed_text(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, PromptEcho))


def close(found: Sequence[PromptToken], wanted: Sequence[PromptToken]) -> bool:
    return [each.text for each in found] == [each.text for each in wanted] and [
        each.logprob for each in found
    ] == [pytest.approx(each.logprob, abs=1e-3) for each in wanted]


def test_each_token_has_the_likelihood_that_the_model_gives_it(
    open_session: OpenSession, tiny_model: Path, model: Model
) -> None:
    tokens = model.tokenize(str(SCORED.prompt), starts_prompt=True)
    expected = []
    with Evaluated(model, "<s>") as evaluated:
        for token, following in itertools.pairwise(tokens):
            if expected:
                evaluated.evaluate([token])
            pointer = native.llama_get_logits_ith(evaluated.handle, -1)
            logits = np.ctypeslib.as_array(pointer, (model.n_vocab,)).astype(np.float64)
            expected.append(float(logits[following] - np.log(np.exp(logits).sum())))
    told = echoed(list(open_session(tiny_model).chat(SCORED)))
    assert [each.text for each in told] == [model.piece(token).decode() for token in tokens[1:]]
    assert told[0].logprob is None
    assert told[0].top == ()
    assert [each.logprob for each in told[1:]] == [
        pytest.approx(each, abs=1e-3) for each in expected[1:]
    ]
    assert all(len(each.top) == 2 for each in told[1:])
    assert "".join(each.text for each in told) == SCORED.prompt
    assert all(str(SCORED.prompt)[each.offset :].startswith(each.text) for each in told)


def test_the_likelihoods_of_an_answer_are_those_of_the_same_prompt(
    open_session: OpenSession, any_model: Path
) -> None:
    session = open_session(any_model)
    tokens = (1, *range(40, 60))
    wanted = msgspec.structs.replace(SCORED, prompt=tokens, max_tokens=1, logprobs=1)
    first, second = (list(session.chat(wanted)) for _ in range(2))
    assert close(echoed(first), echoed(second))
    assert len(echoed(first)) == len(tokens)
    (answer,) = [each for event in first if isinstance(event, Logprobs) for each in event.tokens]
    assert isinstance(answer, TokenLogprob)
    assert answer.top[0] == (answer.text, answer.logprob)


def test_a_prompt_of_many_batches_is_scored_beside_a_chat_as_it_is_alone(
    open_session: OpenSession, any_model: Path
) -> None:
    long = msgspec.structs.replace(SCORED, prompt=LONG)
    chat = request(user("What now?"), max_tokens=40)
    alone = list(open_session(any_model).chat(long))
    session = open_session(any_model)
    answer = text_of(list(session.chat(chat)))
    one, other, said = ask_together(session, [long, long, chat])
    assert len(echoed(alone)) > 512
    assert close(echoed(one), echoed(alone))
    assert close(echoed(other), echoed(alone))
    assert text_of(said) == answer
    assert echoed_text(one) == LONG
    assert last(one).usage.completion_tokens == 0


def test_what_is_scored_begins_anew_and_helps_the_next(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    plain = ChatRequest(prompt=SCORED.prompt, max_tokens=2, sampling=GREEDY)
    list(session.chat(plain))
    assert len(echoed(list(session.chat(SCORED)))) > 2
    assert last(list(session.chat(plain))).usage.cached_tokens > 2


def test_a_cancelled_score_ends_and_others_go_on(
    open_session: OpenSession, any_model: Path
) -> None:
    session = open_session(any_model)
    stream = session.chat(msgspec.structs.replace(SCORED, prompt=LONG))
    next(event for event in stream if isinstance(event, PromptEcho))
    stream.close()
    assert last(list(stream)).reason == "cancelled"
    assert len(echoed(list(session.chat(SCORED)))) > 2


def test_without_likelihoods_the_prompt_comes_back_whole(
    open_session: OpenSession, tiny_model: Path, model: Model
) -> None:
    text = "Tea ☕ <|im_end|> and"
    tokens = tuple(model.tokenize(text))
    session = open_session(tiny_model)
    for prompt in (text, tokens):
        wanted = ChatRequest(prompt=prompt, echo=True, max_tokens=1, sampling=GREEDY)
        events = list(session.chat(wanted))
        assert echoed_text(events) == text
        assert echoed(events) == []


def test_a_character_of_several_tokens_has_one_place(
    open_session: OpenSession, tiny_model: Path
) -> None:
    events = list(open_session(tiny_model).chat(msgspec.structs.replace(SCORED, prompt="☕ hello")))
    told = echoed(events)
    assert [each.offset for each in told[:4]] == [0, 0, 0, 1]
    assert echoed_text(events) == "☕ hello"


def test_the_end_of_an_answer_is_counted_where_a_prompt_is_scored(
    open_session: OpenSession, tmp_path: Path
) -> None:
    session = open_session(write_model(tmp_path / "tiny.gguf", says=("one", " two")))
    wanted = msgspec.structs.replace(SCORED, prompt="\none two", max_tokens=1)
    events = list(session.chat(wanted))
    assert last(events).reason == "stop"
    assert sum(len(event.tokens) for event in events if isinstance(event, Logprobs)) == 1


def test_an_empty_prompt_and_one_token_have_nothing_to_tell(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    assert echoed(list(session.chat(msgspec.structs.replace(SCORED, prompt="")))) == []
    (only,) = echoed(list(session.chat(msgspec.structs.replace(SCORED, prompt=(40,)))))
    assert only.logprob is None


def test_numbers_of_another_model_are_refused_in_words(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    for token in (-1, 50_000):
        with pytest.raises(Unsupported, match="no token"):
            list(session.chat(ChatRequest(prompt=(1, token))))
        with pytest.raises(Unsupported, match="no token"):
            session.embed([(1, token)])


def test_numbers_of_tokens_make_the_vector_of_their_text(
    open_session: OpenSession, tiny_model: Path, model: Model
) -> None:
    session = open_session(tiny_model)
    text = "hello the thing"
    made = session.embed([text, tuple(model.tokenize_whole(text))])
    assert made.vectors[0] == pytest.approx(made.vectors[1], abs=1e-4)


def test_logits_of_a_batch_are_bounded(model: Model) -> None:
    tokens = model.tokenize("hello the thing")
    echo = Echo(model, tuple(tokens), tokens, 0)
    assert echo.beginning().tokens[0].logprob is None
    flat = np.zeros(model.n_vocab, np.float32)
    asked: list[int] = []

    def logits_of(index: int) -> np.ndarray:
        asked.append(index)
        return flat

    told = [
        token for start in range(len(tokens)) for token in echo.read(start, 1, logits_of).tokens
    ]
    assert asked == [0] * (len(tokens) - 1)
    assert all(each.logprob == pytest.approx(-math.log(model.n_vocab)) for each in told)
    assert most_logits(150_000) * 150_000 * 4 <= 2**26
