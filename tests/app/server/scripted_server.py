"""The real server, answered by the script."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from app.adapters import Adapters
from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.kept_states import KeptStates
from app.models import Models
from app.paths import Paths
from app.profiles import Profiles
from app.server.config import ServerConfig
from app.server.journal import Journal
from app.server.local_server import LocalServer
from app.sessions import Sessions
from app.settings_file import SettingsFile
from catalog.library import Library
from tests.scripted_backend import ScriptedBackend

_PATIENCE_SECONDS = 5.0


class ScriptedServer:
    """A server that runs at `url`. `backend` is for tests to give a script and look at requests."""

    def __init__(self, url: str, backend: ScriptedBackend, journal: Journal) -> None:
        self.url = url
        self.backend = backend
        self._journal = journal

    def falls_silent(self) -> bool:
        """Whether every answer ends soon, though its script goes on for much longer."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(row.runs for row in self._journal.rows()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


@contextmanager
def scripted_server(
    library: Library,
    store: ConversationStore,
    paths: Paths,
    engines: Engines,
    embedders: Engines,
    backend: ScriptedBackend,
    config: ServerConfig,
) -> Iterator[ScriptedServer]:
    settings = SettingsFile(paths.settings_file)
    models, adapters = Models(library, ()), Adapters(library)
    with ExitStack() as stack:
        sessions = stack.enter_context(
            closing(
                Sessions(
                    engines, embedders, backend.capabilities, lambda: {}, offline=lambda: False
                )
            )
        )
        chats = stack.enter_context(
            closing(
                Chats(
                    store,
                    models,
                    sessions,
                    engines,
                    settings,
                    Profiles(paths.profiles_file),
                    adapters,
                    KeptStates(paths.cache_folder / "states", settings),
                )
            )
        )
        server = LocalServer(models, sessions, chats, adapters, engines, store)
        stack.callback(server.stop)
        state = server.start(config)
        yield ScriptedServer(state.addresses[0], backend, server.journal)
