"""A real server on loopback, whose models answer by script, or are real ones."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import httpx2
import pytest

from app.adapters import Adapters
from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.kept_states import KeptStates
from app.models import Models, OfferedModel
from app.paths import Paths
from app.profiles import Profiles
from app.server.config import ServerConfig
from app.server.local_server import LocalServer
from app.sessions import Sessions
from app.settings_file import SettingsFile
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import Backend
from catalog.library import InstalledModel, Library
from tests.scripted_backend import ScriptedBackend

KEY = "a-key-of-the-tests"


class Served:
    """A server that is on, and what it is made of."""

    def __init__(
        self, server: LocalServer, backend: Backend, engines: Engines, config: ServerConfig
    ) -> None:
        self.server = server
        self.backend = backend
        self.engines = engines
        self.config = config

    @property
    def url(self) -> str:
        return self.server.state.addresses[0]

    def client(self, **options) -> httpx2.Client:
        headers = {"authorization": f"Bearer {self.config.key}"} if self.config.key else {}
        return httpx2.Client(
            base_url=self.url, headers=headers, timeout=30, trust_env=False, **options
        )


MakeServer = Callable[..., Served]


@pytest.fixture
def make_server(library: Library, paths: Paths, store: ConversationStore) -> Iterator[MakeServer]:
    """Servers on any free port, off at the end of the test."""
    with contextlib.ExitStack() as stack:

        def make(
            backend: Backend,
            *,
            offers: Sequence[OfferedModel] = (),
            backends: Mapping[str, Backend] | None = None,
            profiles: Profiles | None = None,
            **options,
        ) -> Served:
            settings = SettingsFile(paths.settings_file)
            settings.load()
            engines, embedders = (
                Engines({"llama_cpp": backend}, unload_after=lambda: 0.0) for _ in range(2)
            )
            models = Models(library, (lambda: offers,))
            sessions = Sessions(
                engines,
                embedders,
                backend.capabilities,
                lambda: backends or {},
                offline=lambda: False,
            )
            adapters = Adapters(library)
            states = KeptStates(paths.cache_folder / "states", settings)
            chats = Chats(
                store,
                models,
                sessions,
                engines,
                settings,
                profiles or Profiles(paths.profiles_file),
                adapters,
                states,
            )
            server = LocalServer(models, sessions, chats, adapters, engines, store)
            for end in (embedders.close, engines.close, sessions.close, chats.close, server.stop):
                stack.callback(end)
            config = ServerConfig(**{"port": 0, **options})
            server.start(config)
            return Served(server, backend, engines, config)

        yield make


@pytest.fixture
def server(make_server: MakeServer, scripted: ScriptedBackend, model: InstalledModel) -> Served:
    """Answers by the script of `scripted`, and wants no key."""
    return make_server(scripted)


@pytest.fixture
def real_server(make_server: MakeServer, model: InstalledModel) -> Served:
    """Answers “Good morning.” from a real worker."""
    return make_server(LlamaCppBackend())
