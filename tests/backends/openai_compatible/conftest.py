from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from backends.openai_compatible.backend import OpenAICompatibleBackend, Patience
from backends.openai_compatible.providers import provider_of
from backends.openai_compatible.session import OpenAICompatibleSession
from backends.protocol import LoadOptions
from tests.backends.openai_compatible.openai_server import OpenAIServer

QUICK = Patience(connect=2.0, first_byte=5.0, stall=5.0, listing=5.0, pause=0.01, longest_pause=0.5)

PATIENT = Patience(connect=5.0, first_byte=60.0, stall=60.0, listing=60.0, pause=0.05)
Connect = Callable[..., OpenAICompatibleSession]


def replaced(patience: Patience, **seconds: float) -> Patience:
    return msgspec.structs.replace(patience, **seconds)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def backend_at(
    url: str, *, provider: str = "custom", key: str = "", **options: Any
) -> OpenAICompatibleBackend:
    """A backend that is as impatient as tests are."""
    options.setdefault("patience", QUICK)
    return OpenAICompatibleBackend("Words", provider_of(provider), url, key=lambda: key, **options)


@pytest.fixture
def connect(server: OpenAIServer) -> Iterator[Connect]:
    """Opens sessions with the server's model, and closes them after the test."""
    sessions: list[OpenAICompatibleSession] = []

    def open_one(model: str = "words", **options: Any) -> OpenAICompatibleSession:
        backend = backend_at(options.pop("url", server.url), **options)
        session = backend.open(model, LoadOptions(), lambda _: True)
        sessions.append(session)
        return session

    yield open_one
    for session in sessions:
        session.close()
