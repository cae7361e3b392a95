"""Against the server that comes with llama-cpp-python."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.errors import BadAnswer, BadKey
from backends.openai_compatible.backend import OpenAICompatibleBackend
from backends.protocol import (
    Backend,
    ChatRequest,
    LoadOptions,
    Message,
    Sampling,
    Session,
)
from backends.testing import BackendContract
from tests.backends.openai_compatible.conftest import PATIENT, backend_at
from tests.backends.openai_compatible.served import running, wait_until_it_answers

pytest.importorskip("fastapi")
pytest.importorskip("llama_cpp")

KEY = "sk-of-the-test"


@pytest.fixture(scope="module")
def url(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    log = tmp_path_factory.mktemp("served") / "server.log"
    options = {
        "model": str(tiny_model),
        "model_alias": "tiny",
        "host": "127.0.0.1",
        "port": str(port),
        "n_ctx": "16384",
        "n_threads": "1",
        "n_threads_batch": "1",
        "api_key": KEY,
        "interrupt_requests": "False",
        "verbose": "False",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    url = f"http://127.0.0.1:{port}/v1"
    with running([sys.executable, "-m", "llama_cpp.server", *arguments], log) as process:
        wait_until_it_answers(url, process, log)
        yield url


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, url: str) -> OpenAICompatibleBackend:
        return backend_at(url, key=KEY, patience=PATIENT)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, backend: OpenAICompatibleBackend) -> str:
        return backend.models()[0].id

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        messages = (Message(role="user", content="Talk"),)
        return ChatRequest(messages=messages, sampling=Sampling(temperature=0), max_tokens=4000)

    def test_two_streams_at_once_are_independent_where_it_says_so(
        self, backend: Backend, session: Session, long_request: ChatRequest
    ) -> None:
        pytest.skip("this server answers one after the other")

    def test_makes_vectors_where_it_says_so_and_else_refuses_in_words(
        self, backend: Backend, embedding_session: Session
    ) -> None:
        # It makes them only when it is started for that, and then one for each token of this model.
        with pytest.raises(BadAnswer, match="embedding"):
            embedding_session.embed(["a cat"])


def test_a_wrong_key_is_told_as_such(url: str) -> None:
    with pytest.raises(BadKey):
        backend_at(url, key="sk-another").models()


def test_an_answer_that_fails_without_a_word_is_told_as_such(url: str) -> None:
    session = backend_at(url, key=KEY, patience=PATIENT).open("tiny", LoadOptions(), lambda _: True)
    messages = (Message(role="user", content="hello " * 20_000),)
    with pytest.raises(BadAnswer, match="without an answer"):
        list(session.chat(ChatRequest(messages=messages)))
    session.close()
