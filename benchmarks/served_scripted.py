"""Causeway's server with a model that says nothing, in a process of its own.

`python -m benchmarks.served_scripted` prints its address, and ends with its stdin.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

from app.adapters import Adapters
from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.kept_states import KeptStates
from app.models import Models
from app.paths import paths_under
from app.profiles import Profiles
from app.server.config import ServerConfig
from app.server.local_server import LocalServer
from app.sessions import Sessions
from app.settings_file import SettingsFile
from backends.protocol import ChatRequest
from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from tests.gguf_files import write_model
from tests.scripted_backend import Script, ScriptedBackend


class _Forgotten(list[ChatRequest]):
    def append(self, request: ChatRequest) -> None:
        pass


def main() -> None:
    """Puts the program's parts together around the script; all but the engine are the real ones."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        paths = paths_under(Path(folder))
        library = Library(paths.models_folder, paths.library_file, load_bundled())
        library.add_file(write_model(Path(folder) / "silent.gguf"))
        backend = ScriptedBackend(Script(tokens=()))
        backend.requests = _Forgotten()  # what tests look at would count as the server's memory
        engines, embedders = (
            Engines({"llama_cpp": backend}, unload_after=lambda: 0.0) for _ in range(2)
        )
        store = ConversationStore(paths.database_file)
        settings = SettingsFile(paths.settings_file)
        models = Models(library, ())
        sessions = Sessions(
            engines, embedders, backend.capabilities, lambda: {}, offline=lambda: True
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
        server = LocalServer(models, sessions, chats, adapters, engines, store)
        for close in (
            store.close,
            engines.close,
            embedders.close,
            sessions.close,
            chats.close,
            server.stop,
        ):
            stack.callback(close)
        print(server.start(ServerConfig(port=0)).addresses[0], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
