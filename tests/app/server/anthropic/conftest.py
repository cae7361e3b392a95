"""A server that answers by the script."""

from collections.abc import Iterator

import pytest

from app.conversations.store import ConversationStore
from app.paths import Paths
from app.server.config import ServerConfig
from catalog.library import InstalledModel, Library
from tests.app.conftest import MakeEngines
from tests.app.server.scripted_server import ScriptedServer, scripted_server
from tests.scripted_backend import ScriptedBackend


@pytest.fixture
def config() -> ServerConfig:
    """Tests say it where they want another."""
    return ServerConfig(port=0)


@pytest.fixture
def server(
    library: Library,
    model: InstalledModel,
    store: ConversationStore,
    paths: Paths,
    make_engines: MakeEngines,
    scripted: ScriptedBackend,
    config: ServerConfig,
) -> Iterator[ScriptedServer]:
    engines, embedders = make_engines(), make_engines()
    with scripted_server(library, store, paths, engines, embedders, scripted, config) as server:
        yield server
