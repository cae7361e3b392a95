from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import LoadOptions
from tests.gguf_files import write_model

SAYS = ("<think>", "Two", " plus", " two", "</think>", "It is", " four", " ✨", ".")

OpenSession = Callable[..., LlamaCppSession]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers gibberish that depends on the whole prompt and, at temperature 0, never ends."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    return write_model(path, context_length=32_768)


@pytest.fixture(scope="session")
def talking_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thinks "Two plus two" and answers "It is four ✨."."""
    return write_model(tmp_path_factory.mktemp("models") / "talking.gguf", says=SAYS)


@pytest.fixture
def open_session() -> Iterator[OpenSession]:
    """Opens sessions on model files, and closes them after the test."""
    sessions: list[LlamaCppSession] = []

    def open_one(model: Path, **options: Any) -> LlamaCppSession:
        options.setdefault("n_threads", 1)
        session = LlamaCppBackend().open(str(model), LoadOptions(**options), lambda _: True)
        sessions.append(session)
        return session

    yield open_one
    for session in sessions:
        session.close()
