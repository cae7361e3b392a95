"""The program's parts, put together. Window and command line begin here."""

import logging
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.errors import StorageError
from app.paths import Paths
from app.profiles import Profiles
from app.settings import Settings
from app.settings_file import SettingsFile
from backends.registry import find_backends
from catalog.bundled import load_bundled
from catalog.entries import Catalogue
from catalog.library import Library

_log = logging.getLogger(__name__)

_TRASH_SECONDS = 24 * 3600.0
"""How long what was deleted can be brought back."""


@dataclass(frozen=True)
class Services:
    """What the program is made of. Closing it ends every thread and process of it."""

    paths: Paths
    settings: SettingsFile
    store: ConversationStore
    catalogue: Catalogue
    library: Library
    engines: Engines
    chats: Chats

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop and save what is being written, end the model, close the database."""
        self.chats.close()
        self.engines.close()
        self.store.close()


def models_folder(paths: Paths, settings: Settings) -> Path:
    """Where downloaded models are kept: the person's choice, else the program's own folder."""
    chosen = settings.models_folder.strip()
    return Path(chosen).expanduser() if chosen else paths.models_folder


def open_services(paths: Paths, settings: SettingsFile | None = None) -> Services:
    """Open settings, database and library. Raises `StorageError` where one can't be opened."""
    with ExitStack() as undo:
        settings = settings or SettingsFile(paths.settings_file)
        folder = models_folder(paths, settings.load())
        store = ConversationStore(paths.database_file)
        undo.callback(store.close)
        with suppress(StorageError):  # on a full disk, chats can still be read
            store.recover()
            store.purge(older_than_seconds=_TRASH_SECONDS)
        catalogue = load_bundled()
        library = Library(folder, paths.library_file, catalogue)
        backends, broken = find_backends()
        for backend in broken:
            _log.error("backend %s does not work: %s", backend.name, backend.error)
        engines = Engines(
            backends, unload_after=lambda: settings.current.unload_after_minutes * 60.0
        )
        undo.pop_all()
    return Services(
        paths=paths,
        settings=settings,
        store=store,
        catalogue=catalogue,
        library=library,
        engines=engines,
        chats=Chats(store, library, engines, settings, Profiles(paths.profiles_file)),
    )
