"""Against the server of llama.cpp itself, as xllamacpp brings it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.errors import BackendError, PromptTooLong
from backends.openai_compatible.backend import OpenAICompatibleBackend
from backends.protocol import (
    ChatRequest,
    Grammar,
    LoadOptions,
    Logprobs,
    Message,
    ReasoningDelta,
    Sampling,
    Session,
)
from backends.testing import HELLO, BackendContract, last, text_of
from tests.backends.openai_compatible.conftest import PATIENT, backend_at
from tests.backends.openai_compatible.served import running, wait_until_it_answers

pytest.importorskip("xllamacpp")


def served(model: Path, folder: Path, *, embeds: bool = False) -> Iterator[OpenAICompatibleBackend]:
    log = folder / "server.log"
    command = [sys.executable, "-m", "tests.backends.openai_compatible.served", str(model)]
    with running([*command, str(embeds)], log) as process:
        assert process.stdout is not None
        origin = process.stdout.readline().strip()
        assert origin, log.read_text()[-2000:]
        wait_until_it_answers(f"{origin}/v1", process, log)
        yield backend_at(f"{origin}/v1", provider="llama-server", patience=PATIENT)


@pytest.fixture(scope="module")
def tiny(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenAICompatibleBackend]:
    yield from served(tiny_model, tmp_path_factory.mktemp("served"))


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, tiny: OpenAICompatibleBackend) -> OpenAICompatibleBackend:
        return tiny

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tiny: OpenAICompatibleBackend) -> str:
        return tiny.models()[0].id

    @pytest.fixture(scope="class")
    @classmethod
    def embedding_session(
        cls, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Session]:
        folder = tmp_path_factory.mktemp("served")
        for backend in served(tiny_model, folder, embeds=True):
            session = backend.open("tiny", LoadOptions(), lambda _: True)
            yield session
            session.close()

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        messages = (Message(role="user", content="Talk"),)
        return ChatRequest(messages=messages, sampling=Sampling(temperature=0))


@pytest.fixture
def session(tiny: OpenAICompatibleBackend) -> Iterator[Session]:
    session = tiny.open("tiny", LoadOptions(), lambda _: True)
    yield session
    session.close()


def test_its_models_are_listed_with_their_context(tiny: OpenAICompatibleBackend) -> None:
    assert tiny.models()[0].context_length > 0


def test_an_answer_is_held_to_a_schema(session: Session) -> None:
    schema = Grammar("json_schema", '{"enum": ["yes", "no"]}')
    request = ChatRequest(messages=HELLO.messages, grammar=schema)
    assert text_of(list(session.chat(request))) in ('"yes"', '"no"')


def test_an_answer_is_held_to_a_grammar(session: Session) -> None:
    request = ChatRequest(messages=HELLO.messages, grammar=Grammar("gbnf", 'root ::= "four"'))
    assert text_of(list(session.chat(request))) == "four"


def test_it_goes_on_with_a_text_and_with_an_answer(session: Session) -> None:
    text = ChatRequest(prompt="hello the", max_tokens=5, sampling=HELLO.sampling)
    assert last(list(session.chat(text))).usage.completion_tokens == 5
    messages = (*HELLO.messages, Message(role="assistant", content="Hi"))
    begun = ChatRequest(messages=messages, continue_last=True, max_tokens=5)
    assert last(list(session.chat(begun))).usage.completion_tokens == 5


def test_it_tells_how_likely_its_words_were(session: Session) -> None:
    request = ChatRequest(messages=HELLO.messages, max_tokens=3, logprobs=2)
    told = [event for event in session.chat(request) if isinstance(event, Logprobs)]
    tokens = [token for event in told for token in event.tokens]
    assert len(tokens) == 3
    assert all(token.logprob <= 0 and len(token.top) == 2 for token in tokens)


def test_a_seed_decides_an_answer(session: Session) -> None:
    def answer(seed: int) -> str:
        sampling = Sampling(temperature=1.5, seed=seed)
        request = ChatRequest(messages=HELLO.messages, sampling=sampling, max_tokens=20)
        return text_of(list(session.chat(request)))

    assert answer(1) == answer(1) != answer(2)


def test_a_chat_that_is_too_long_is_told_as_such(session: Session) -> None:
    messages = (Message(role="user", content="hello " * 20_000),)
    with pytest.raises(PromptTooLong):
        list(session.chat(ChatRequest(messages=messages)))


def test_thinking_is_told_from_the_answer(talking_model: Path, tmp_path: Path) -> None:
    for backend in served(talking_model, tmp_path):
        session = backend.open("talking", LoadOptions(), lambda _: True)
        events = list(session.chat(HELLO))
        session.close()
    assert text_of(events) == "It is four ✨."
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert thought.strip() == "Two plus two"


def test_vectors_of_a_server_that_makes_none_are_refused_in_words(session: Session) -> None:
    with pytest.raises(BackendError) as error:
        session.embed(["hello"])
    assert error.value.why
