"""A real server on loopback, whose models answer by script, or are real ones."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import httpx2

from app.adapters import Adapters
from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.kept_states import KeptStates
from app.lookup import Lookup
from app.models import Models, OfferedModel
from app.paths import Paths
from app.profiles import Profiles
from app.server.config import ServerConfig
from app.server.local_server import LocalServer
from app.sessions import Sessions
from app.settings_file import SettingsFile
from backends.protocol import Backend
from catalog.downloads.queue import DownloadQueue
from catalog.library import Library

KEY = "a-key-of-the-tests"


class Served:
    """A server that is on, and what it is made of."""

    def __init__(
        self,
        server: LocalServer,
        backend: Backend,
        engines: Engines,
        config: ServerConfig,
        chats: Chats,
    ) -> None:
        self.chats = chats
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
            base_url=self.url,
            headers=headers,
            timeout=30,
            trust_env=False,
            verify=False,  # what certificates there are takes long to read
            **options,
        )


@contextlib.contextmanager
def serving(
    paths: Paths,
    library: Library,
    store: ConversationStore,
    backend: Backend,
    *,
    offers: Sequence[OfferedModel] = (),
    backends: Mapping[str, Backend] | None = None,
    fetching: tuple[Lookup, DownloadQueue] | None = None,
    **options,
) -> Iterator[Served]:
    """A server on any free port, and all that is behind it. `options` are of `ServerConfig`."""
    settings = SettingsFile(paths.settings_file)
    settings.load()
    with contextlib.ExitStack() as stack:
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
        chats = Chats(
            store,
            models,
            sessions,
            engines,
            settings,
            Profiles(paths.profiles_file),
            adapters,
            KeptStates(paths.cache_folder / "states", settings),
        )
        server = LocalServer(models, sessions, chats, adapters, engines, store, fetching)
        for end in (embedders.close, engines.close, sessions.close, chats.close, server.stop):
            stack.callback(end)
        config = ServerConfig(**{"port": 0, **options})
        server.start(config)
        yield Served(server, backend, engines, config, chats)
