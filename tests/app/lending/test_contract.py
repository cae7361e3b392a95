"""A borrowed model keeps the promises of one's own."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.lending.guest import BorrowedStream
from backends.protocol import (
    PROTOCOL_VERSION,
    Capabilities,
    ChatRequest,
    Embeddings,
    LoadOptions,
    LoadProgress,
    Message,
    Session,
)
from backends.testing import BackendContract
from catalog.catalogues.bundled import load_bundled
from catalog.library import InstalledModel, Library
from tests.app.lending.conftest import Party
from tests.scripted_backend import Script, ScriptedBackend


class BorrowingBackend:
    """Each of its sessions is lent by a party of its own, which has loaded the model for that."""

    protocol_version = PROTOCOL_VERSION
    name = "borrowed"
    capabilities = Capabilities(embed=True, count_tokens=True, parallel=True, local=True)

    def __init__(self, folder: Path, model: InstalledModel) -> None:
        self._folder = folder
        self._model = model

    def models(self) -> tuple[()]:
        return ()

    def open(self, model: str, options: LoadOptions, on_progress: LoadProgress) -> Session:
        words = Script(tokens=tuple("word " for _ in range(400)), delay=0.001)
        host = Party(self._folder, ScriptedBackend(words, embeds=True), 0.0)
        guest = Party(self._folder, ScriptedBackend(), 0.0)
        try:
            with host.engines.use(self._model, options, on_progress):
                session = guest.borrow(model, options)
            assert session is not None
        except BaseException:
            host.close()
            raise
        return SessionOfParty(session, host)


class SessionOfParty:
    """A borrowed session that ends together with who lends it."""

    def __init__(self, session: Session, host: Party) -> None:
        self._session = session
        self._host = host
        self.info = session.info

    @property
    def alive(self) -> bool:
        return self._session.alive

    def chat(self, request: ChatRequest) -> BorrowedStream:
        stream = self._session.chat(request)
        assert isinstance(stream, BorrowedStream)
        return stream

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return self._session.count_tokens(messages)

    def embed(self, texts: Sequence[str]) -> Embeddings:
        return self._session.embed(texts)

    def close(self) -> None:
        self._session.close()
        self._host.close()


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def installed(
        cls, tmp_path_factory: pytest.TempPathFactory, model_file: Path
    ) -> InstalledModel:
        home = tmp_path_factory.mktemp("home")
        return Library(home / "models", home / "library.json", load_bundled()).add_file(model_file)

    @pytest.fixture(scope="class")
    @classmethod
    def backend(
        cls, tmp_path_factory: pytest.TempPathFactory, installed: InstalledModel
    ) -> BorrowingBackend:
        return BorrowingBackend(tmp_path_factory.mktemp("lending"), installed)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, installed: InstalledModel) -> str:
        return str(installed.path)

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        return ChatRequest(messages=(Message(role="user", content="Talk"),))
