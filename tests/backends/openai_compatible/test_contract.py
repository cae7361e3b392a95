from collections.abc import Iterator

import pytest

from backends.openai_compatible.backend import OpenAICompatibleBackend
from backends.protocol import ChatRequest, Message
from backends.testing import BackendContract
from tests.backends.openai_compatible.conftest import backend_at
from tests.backends.openai_compatible.openai_server import OpenAIServer


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Iterator[OpenAICompatibleBackend]:
        with OpenAIServer(key="sk-right", keeps=False) as server:
            yield backend_at(server.url, key="sk-right")

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> str:
        return "words"

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        return ChatRequest(messages=(Message(role="user", content="Talk"),))
