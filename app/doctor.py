"""What a bug report needs to know about this computer and this installation. No chat, no secret."""

import os
import platform
import sys
from collections.abc import Callable
from typing import TypeVar

import msgspec
import psutil

from app.conversations.migrations import VERSION
from app.conversations.store import ConversationStore
from app.errors import KnownErrors
from app.formatting import bytes_text, count_text
from app.logs import without_credentials
from app.machine import disk_free, processor_name
from app.paths import Paths
from app.secrets import Secrets
from app.services import models_folder, places_of
from app.settings_file import SettingsFile
from app.versions import installed_version
from app.worker_tools import run_in_worker
from backends.errors import EngineCrashed
from backends.registry import find_backends
from catalog.catalogues.bundled import load_bundled
from catalog.downloads.fetch import resolve_index_url
from catalog.library import Library

T = TypeVar("T")

_PACKAGES = (
    "causeway",
    "llama-cpp-python",
    "PySide6-Essentials",
    "msgspec",
    "httpx2",
    "huggingface-hub",
    "jinja2",
    "keyring",
    "cryptography",
    "starlette",
    "uvicorn",
    "pypi-simple",
    "psutil",
)
_VARIABLES = (
    "CAUSEWAY_HOME",
    "QT_QPA_PLATFORM",
    "XDG_SESSION_TYPE",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "LANG",
)
_PROBE_SECONDS = 60.0


class EngineFindings(msgspec.Struct, frozen=True):
    """What llama.cpp says of itself. `system` lists the processor's instructions that it uses.

    `rpc`: other machines can hold a part of a model.
    """

    version: str = ""
    system: str = ""
    devices: tuple[str, ...] = ()
    gpu_offload: bool = False
    rpc: bool = False
    problem: str = ""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes. `problems` are sentences; with none, all is well."""

    versions: dict[str, str]
    python: str
    system: str
    processor: str
    cores: int
    memory_total: int
    memory_available: int
    disk_free: int
    paths: dict[str, str]
    variables: dict[str, str]
    backends: dict[str, str]
    engine: EngineFindings
    database: str
    models: list[str]
    package_index: str
    keys: str
    services: list[str]
    problems: list[str]


def examine(paths: Paths) -> Findings:
    """Look at everything; what fails is among the findings, never raised."""
    problems: list[str] = []
    settings_file = SettingsFile(paths.settings_file)
    settings = settings_file.load()
    problems += [settings_file.notice] if settings_file.notice else []
    backends, broken = find_backends()
    problems += [f"The backend {backend.name} does not work: {backend.error}" for backend in broken]
    engine = _engine()
    problems += [engine.problem] if engine.problem else []
    folder = models_folder(paths, settings)

    def look_at_models() -> list[str]:
        library = Library(
            folder, paths.library_file, load_bundled(), places=places_of(settings_file)
        )
        found = [model.id for model in library.models()]
        problems.extend(str(problem.error) for problem in library.problems)
        return found

    memory = psutil.virtual_memory()
    return Findings(
        versions=_versions(),
        python=f"{platform.python_version()} ({sys.executable})",
        system=platform.platform(),
        processor=processor_name(),
        cores=os.cpu_count() or 1,
        memory_total=memory.total,
        memory_available=memory.available,
        disk_free=disk_free(paths.home),
        paths={
            **{name: str(path) for name, path in msgspec.structs.asdict(paths).items()},
            "models_folder": str(folder),
        },
        variables={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        backends={
            **dict.fromkeys(backends, "works"),
            **{backend.name: backend.error for backend in broken},
        },
        engine=engine,
        database=_or_problem(lambda: _database(paths), "", problems),
        models=_or_problem(look_at_models, [], problems),
        package_index=without_credentials(resolve_index_url(settings.package_index) or "default"),
        keys=_or_problem(lambda: _keys(settings_file, paths), "", problems),
        services=[f"{each.id} ({each.url})" for each in settings.connections],
        problems=problems,
    )


def _keys(settings: SettingsFile, paths: Paths) -> str:
    """Where they are kept. That a computer has no keyring is no problem before there is a key."""
    state = Secrets(settings, paths.secrets_file).state()
    place = "sealed file" if state.place == "file" else "keyring"
    return place if state.usable else f"{place}. {state.reason}"


def _versions() -> dict[str, str]:
    return {package: installed_version(package) or "missing" for package in _PACKAGES}


def _engine() -> EngineFindings:
    try:
        return run_in_worker("probe", [], EngineFindings, timeout=_PROBE_SECONDS)
    except EngineCrashed as error:
        return EngineFindings(problem=str(error))


def _database(paths: Paths) -> str:
    """Its version and size. A database is made only by the program proper, not by looking at it."""
    if not paths.database_file.exists():
        return "none yet"
    store = ConversationStore(paths.database_file)
    try:
        count = len(store.rows(limit=1_000_000))
    finally:
        store.close()
    size = bytes_text(paths.database_file.stat().st_size)
    conversations = count_text(count, "conversation", "conversations")
    return f"version {VERSION}, {conversations}, {size}"


def _or_problem(look: Callable[[], T], otherwise: T, problems: list[str]) -> T:
    try:
        return look()
    except (*KnownErrors, OSError) as error:
        problems.append(str(error))
        return otherwise
