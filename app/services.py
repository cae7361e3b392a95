"""The program's parts, put together. Window and command line begin here."""

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from app.adapters import Adapters
from app.allocations import Allocations
from app.chats import Chats
from app.connections.connections import Connections
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.errors import StorageError
from app.fitting import Fitting
from app.kept_files import KeptFiles
from app.kept_states import KeptStates
from app.lending.addresses import Addresses
from app.lending.lending import Borrowing, Lending
from app.lookup import Lookup
from app.machine import ThisMachine
from app.making import Making
from app.memory import check_memory
from app.models import Models
from app.network import network_of
from app.paths import Paths
from app.plugins import Plugins
from app.profiles import Profiles
from app.secrets import Secrets
from app.server.local_server import LocalServer
from app.serving import ServerKey
from app.sessions import Sessions, file_capabilities
from app.settings import Settings
from app.settings_file import SettingsFile
from backends.protocol import Backend
from backends.registry import find_backends, packages
from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.catalogues import Catalogues
from catalog.downloads.fetch import FetchedFile
from catalog.downloads.queue import DownloadQueue
from catalog.downloads.wanted import DownloadState
from catalog.errors import CatalogError
from catalog.hub.hub import Hub
from catalog.library import Library
from catalog.library.places import Place, known_places
from catalog.network import Network

_log = logging.getLogger(__name__)

_TRASH_SECONDS = 24 * 3600.0
"""How long what was deleted can be brought back."""


@dataclass(frozen=True)
class Services:
    """What the program is made of. Closing it ends every thread and process of it."""

    paths: Paths
    settings: SettingsFile
    kept_files: KeptFiles
    secrets: Secrets
    network: Callable[[], Network]
    store: ConversationStore
    catalogues: Catalogues
    hub: Hub
    library: Library
    downloads: DownloadQueue
    machine: ThisMachine
    fitting: Fitting
    lookup: Lookup
    allocations: Allocations
    profiles: Profiles
    adapters: Adapters
    states: KeptStates
    making: Making
    connections: Connections
    plugins: Plugins
    models: Models
    engines: Engines
    embedders: Engines
    sessions: Sessions
    lending: Lending
    chats: Chats
    server: LocalServer
    server_key: ServerKey

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def files_of_choices(self) -> tuple[Path, ...]:
        """Where settings, keys, services and profiles are kept: the command line changes them, too."""
        paths = self.paths
        files = (paths.settings_file, paths.secrets_file, paths.profiles_file)
        return (*files, self.connections.folder)

    def read_again(self, changed: Collection[Path]) -> bool:
        """Take over what other processes have written to these files. Says whether settings changed."""
        is_other = self.settings.read_again()
        if is_other or self.paths.secrets_file in changed:
            self.secrets.forget()
        return is_other

    def close(self) -> None:
        """Stop and save what is being written, pause downloads, end the model, close the database."""
        with ExitStack() as last:  # also when a person is tired of waiting for other processes
            last.callback(self.store.close)
            last.callback(self.engines.close)
            last.callback(self.embedders.close)
            last.callback(self.sessions.close)
            self.server.stop()
            self.chats.close()
            self.downloads.close()
            self.hub.close()
            self.lending.close()


def models_folder(paths: Paths, settings: Settings) -> Path:
    """Where downloaded models are kept: the person's choice, else the program's own folder."""
    chosen = settings.models_folder.strip()
    return Path(chosen).expanduser() if chosen else paths.models_folder


def open_services(paths: Paths, settings: SettingsFile | None = None) -> Services:
    """Open settings, database and library. Raises `StorageError` where one can't be opened."""
    with ExitStack() as undo:
        settings = settings or SettingsFile(paths.settings_file)
        settings.read_again()
        folder = models_folder(paths, settings.current)
        states = KeptStates(paths.cache_folder / "states", settings)
        store = ConversationStore(paths.database_file)
        undo.callback(store.close)
        with suppress(StorageError):  # on a full disk, chats can still be read
            store.recover()
            erased = store.purge(older_than_seconds=_TRASH_SECONDS)
            if erased:  # what was read of those chats must go too, and nobody knows which that is
                states.erase()
        secrets = Secrets(settings, paths.secrets_file)
        network = network_of(settings, secrets)
        catalogues = Catalogues(
            load_bundled(),
            paths.cache_folder / "catalogues",
            lambda: settings.current.catalogues,
            network,
        )
        library = Library(
            folder,
            paths.library_file,
            catalogues.entries,
            places=places_of(settings),
            template_of=catalogues.template_of,
        )
        hub = Hub(network)
        undo.callback(hub.close)
        downloads = DownloadQueue(
            folder,
            paths.downloads_file,
            network=network,
            resolve=partial(hub.resolve, patient=False),
            at_once=lambda: settings.current.downloads_at_once,
            on_done=_note_download(library),
        )
        undo.callback(downloads.close)
        machine = ThisMachine(lambda: folder, paths.cache_folder)
        allocations = Allocations(paths.cache_folder / "allocations.json")
        profiles = Profiles(paths.profiles_file)
        adapters = Adapters(library)
        addresses = Addresses(paths.cache_folder / "lending")
        backends, broken = find_backends()
        for backend in broken:
            _log.error("backend %s does not work: %s", backend.name, backend.error)
        connections = Connections(settings, secrets, paths.cache_folder / "connections")
        plugins = Plugins(backends, broken, packages)
        models = Models(library, (connections.offers, plugins.offers))
        engines = _engines(backends, settings, machine, allocations, addresses)
        embedders = _engines(backends, settings, machine)
        sessions = Sessions(
            engines,
            embedders,
            file_capabilities(backends),
            lambda: {**plugins.backends(), **connections.backends()},
            offline=lambda: settings.current.offline,
        )
        fitting = Fitting(
            hub.resolve,
            paths.cache_folder,
            network,
            machine,
            machine.latest,
            freed=lambda: engines.reclaimable,
        )
        lookup = Lookup(catalogues, hub, fitting)
        chats = Chats(store, models, sessions, engines, settings, profiles, adapters, states)
        undo.pop_all()
    return Services(
        paths=paths,
        settings=settings,
        kept_files=KeptFiles(
            {
                "settings": settings.file,
                "profiles": profiles.file,
                "models": library.registry_file,
                "downloads": downloads.queue_file,
            }
        ),
        secrets=secrets,
        network=network,
        store=store,
        catalogues=catalogues,
        hub=hub,
        library=library,
        downloads=downloads,
        machine=machine,
        fitting=fitting,
        lookup=lookup,
        allocations=allocations,
        profiles=profiles,
        adapters=adapters,
        states=states,
        making=Making(library, adapters, hub, network),
        connections=connections,
        plugins=plugins,
        models=models,
        engines=engines,
        embedders=embedders,
        sessions=sessions,
        lending=Lending(engines, addresses),
        chats=chats,
        server=LocalServer(models, sessions, chats, adapters, engines, store, (lookup, downloads)),
        server_key=ServerKey(settings, secrets),
    )


def _engines(
    backends: Mapping[str, Backend],
    settings: SettingsFile,
    machine: ThisMachine,
    allocations: Allocations | None = None,
    addresses: Addresses | None = None,
) -> Engines:
    """`allocations` note what a load took, `addresses` lead to processes that lend a model."""
    return Engines(
        backends,
        unload_after=lambda: settings.current.unload_after_minutes * 60.0,
        memory_check=partial(check_memory, machine=machine),
        on_load=allocations.note if allocations else None,
        borrow=Borrowing(addresses) if addresses else None,
    )


def places_of(settings: SettingsFile) -> Callable[[], Sequence[Place]]:
    """Where models of others are looked for: a function that asks the settings anew each time."""

    def places() -> Sequence[Place]:
        current = settings.current
        folders = [Path(each).expanduser() for each in current.model_folders]
        added = [Place("folder", folder, folder.name or str(folder)) for folder in folders]
        others = known_places(Path.home(), os.environ) if current.adopt_places else ()
        return (*added, *others)

    return places


def _note_download(library: Library) -> Callable[[DownloadState, Sequence[FetchedFile]], None]:
    """Where a download is done, the library learns what came, and by whose word it is that."""

    def note(state: DownloadState, files: Sequence[FetchedFile]) -> None:
        for file in files:
            try:
                library.note_download(file.path, state.request.entry_id, file.sha256)
            except CatalogError as error:
                _log.warning("the download of %s is not noted: %s", state.request.id, error)

    return note
