"""Our own backend for services, on our own server, with a real worker behind it."""

import signal
from collections.abc import Iterator

import pytest

from app.serving import KEY_VARIABLE
from backends.errors import BadKey, PromptTooLong
from backends.openai_compatible.backend import OpenAICompatibleBackend
from backends.openai_compatible.providers import provider_of
from backends.protocol import ChatRequest, LoadOptions, Message, Sampling, Session
from backends.testing import BackendContract
from tests.app.cli_process import CommandLine
from tests.app.server.serving import KEY
from tests.gguf_encoders import write_encoder
from tests.gguf_files import write_model


def backend_at(url: str, key: str = KEY) -> OpenAICompatibleBackend:
    return OpenAICompatibleBackend("Causeway", provider_of("custom"), f"{url}/v1", key=lambda: key)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of `causeway serve`, in a process of its own, with both models in memory."""
    folder = tmp_path_factory.mktemp("serving")
    causeway = CommandLine(folder / "home", {KEY_VARIABLE: KEY})
    causeway.run("import", str(write_model(folder / "talkative.gguf", seed=3, context_length=2048)))
    causeway.run("import", str(write_encoder(folder / "finder.gguf")))
    process = causeway.start("serve", "--port", "0", "-m", "talkative")
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, process.communicate()[1]
        finder = backend_at(url).open("finder", LoadOptions(), lambda _: True)
        finder.embed(["hello"])
        finder.close()
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, url: str) -> OpenAICompatibleBackend:
        return backend_at(url)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> str:
        return "talkative"

    @pytest.fixture(scope="class")
    @classmethod
    def embedding_session(cls, backend: OpenAICompatibleBackend) -> Iterator[Session]:
        session = backend.open("finder", LoadOptions(), lambda _: True)
        yield session
        session.close()

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        messages = (Message(role="user", content="Talk"),)
        return ChatRequest(messages=messages, sampling=Sampling(temperature=0))


def test_it_finds_the_models(url: str) -> None:
    assert {model.id for model in backend_at(url).models()} == {"talkative", "finder"}


def test_a_wrong_key_is_told_as_such(url: str) -> None:
    with pytest.raises(BadKey):
        backend_at(url, key="wrong").models()


def test_a_prompt_that_is_too_long_is_told_as_such(url: str) -> None:
    session = backend_at(url).open("talkative", LoadOptions(), lambda _: True)
    long = ChatRequest(messages=(Message(role="user", content="hello " * 2000),))
    with pytest.raises(PromptTooLong):
        list(session.chat(long))
    session.close()
