"""The parts of the program, real ones, in a folder of the test's own."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.paths import Paths, default_paths
from app.profiles import Profiles
from app.settings_file import SettingsFile
from backends.protocol import Backend
from catalog.catalogues.bundled import load_bundled
from catalog.library import InstalledModel, Library
from tests.gguf_files import write_model
from tests.scripted_backend import ScriptedBackend

SAYS = ("Good", " morning", ".")


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers “Good morning.”, whatever it is asked."""
    return write_model(tmp_path_factory.mktemp("models") / "polite.gguf", says=SAYS)


@pytest.fixture(scope="session")
def other_model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights: it goes on until it is stopped, or its context is full."""
    return write_model(tmp_path_factory.mktemp("models") / "talkative.gguf", seed=3)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path / "home"))
    return default_paths()


@pytest.fixture
def library(paths: Paths) -> Library:
    return Library(paths.models_folder, paths.library_file, load_bundled())


@pytest.fixture
def model(library: Library, model_file: Path) -> InstalledModel:
    return library.add_file(model_file)


@pytest.fixture
def other_model(library: Library, other_model_file: Path) -> InstalledModel:
    return library.add_file(other_model_file)


@pytest.fixture
def scripted() -> ScriptedBackend:
    return ScriptedBackend()


MakeEngines = Callable[..., Engines]


@pytest.fixture
def make_engines(scripted: ScriptedBackend) -> Iterator[MakeEngines]:
    """Engines on the scripted backend, closed at the end of the test."""
    with contextlib.ExitStack() as stack:

        def make(unload_after: float = 0.0, **options: object) -> Engines:
            backends: dict[str, Backend] = {"llama_cpp": scripted}
            engines = Engines(backends, unload_after=lambda: unload_after, **options)
            stack.callback(engines.close)
            return engines

        yield make


@pytest.fixture
def store(paths: Paths) -> Iterator[ConversationStore]:
    store = ConversationStore(paths.database_file)
    yield store
    store.close()


@pytest.fixture
def chats(
    store: ConversationStore, library: Library, make_engines: MakeEngines, paths: Paths
) -> Iterator[Chats]:
    """Chats that are answered by the script."""
    settings = SettingsFile(paths.settings_file)
    chats = Chats(store, library, make_engines(), settings, Profiles(paths.profiles_file))
    yield chats
    chats.close()
