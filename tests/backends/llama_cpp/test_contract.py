from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import ChatRequest, LoadOptions, Message, Sampling, Session
from backends.testing import BackendContract
from tests.gguf_encoders import write_encoder


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


class TestContractOfVectors(TestContract):
    """The same, with the vectors of a model that does nothing else."""

    @pytest.fixture(scope="class")
    @classmethod
    def embedding_session(
        cls, backend: LlamaCppBackend, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Session]:
        path = write_encoder(tmp_path_factory.mktemp("encoder") / "encoder.gguf")
        session = backend.open(str(path), LoadOptions(n_threads=1, embedding=True), lambda _: True)
        yield session
        session.close()
