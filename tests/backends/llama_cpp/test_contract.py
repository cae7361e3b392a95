from pathlib import Path

import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import ChatRequest, Message, Sampling
from backends.testing import BackendContract


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> LlamaCppBackend:
        return LlamaCppBackend()

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tiny_model: Path) -> str:
        return str(tiny_model)

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        messages = (Message(role="user", content="Talk"),)
        return ChatRequest(messages=messages, sampling=Sampling(temperature=0))
