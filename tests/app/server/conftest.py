"""Servers for tests, off at the end of each."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from app.conversations.store import ConversationStore
from app.paths import Paths
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import Backend
from catalog.library import InstalledModel, Library
from tests.app.server.serving import KEY as KEY
from tests.app.server.serving import Served as Served
from tests.app.server.serving import serving
from tests.scripted_backend import ScriptedBackend

MakeServer = Callable[..., Served]


@pytest.fixture
def make_server(library: Library, paths: Paths, store: ConversationStore) -> Iterator[MakeServer]:
    with contextlib.ExitStack() as stack:

        def make(backend: Backend, **options) -> Served:
            return stack.enter_context(serving(paths, library, store, backend, **options))

        yield make


@pytest.fixture
def server(make_server: MakeServer, scripted: ScriptedBackend, model: InstalledModel) -> Served:
    """Answers by the script of `scripted`, and wants no key."""
    return make_server(scripted)


@pytest.fixture
def real_server(make_server: MakeServer, model: InstalledModel) -> Served:
    """Answers “Good morning.” from a real worker."""
    return make_server(LlamaCppBackend())
