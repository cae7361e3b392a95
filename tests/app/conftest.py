"""The parts of the program, real ones, in a folder of the test's own."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from app.adapters import Adapters
from app.chats import Chats
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.kept_states import KeptStates
from app.models import Models, OfferedModel
from app.paths import Paths, default_paths
from app.profiles import Profiles
from app.sessions import Sessions
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


MakeChats = Callable[..., Chats]


@pytest.fixture
def make_chats(
    store: ConversationStore,
    library: Library,
    make_engines: MakeEngines,
    scripted: ScriptedBackend,
    paths: Paths,
) -> MakeChats:
    """Chats of these parts, but for those that are given."""

    def make(
        *,
        store: ConversationStore = store,
        engines: Engines | None = None,
        settings: SettingsFile | None = None,
        profiles: Profiles | None = None,
        offers: Sequence[OfferedModel] = (),
        backends: Mapping[str, Backend] | None = None,
    ) -> Chats:
        settings = settings or SettingsFile(paths.settings_file)
        engines = engines or make_engines()
        return Chats(
            store,
            Models(library, (lambda: offers,)),
            Sessions(
                engines,
                make_engines(),
                scripted.capabilities,
                lambda: backends or {},
                offline=lambda: settings.current.offline,
            ),
            engines,
            settings,
            profiles or Profiles(paths.profiles_file),
            Adapters(library),
            KeptStates(paths.cache_folder / "states", settings),
        )

    return make


@pytest.fixture
def chats(make_chats: MakeChats) -> Iterator[Chats]:
    """Chats that are answered by the script."""
    chats = make_chats()
    yield chats
    chats.close()
