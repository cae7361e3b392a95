"""Where models lie that other programs fetched.

The folders and settings are those that the programs' own sources and documentation name: LM Studio
(`~/.lmstudio-home-pointer`, `downloadsFolder` in its settings.json), GPT4All (Qt's
AppLocalDataLocation, `modelPath` in its QSettings file), Ollama (`OLLAMA_MODELS`), the Hub's client
(`HF_HUB_CACHE`, `HF_HOME`), llama.cpp (`LLAMA_CACHE`).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from catalog.library.installed import PlaceKind
from catalog.library.program_settings import first_line, json_text, qt_ini_text

TITLES: dict[PlaceKind, str] = {
    "own": "Causeway",
    "added": "Added files",
    "folder": "Folder",
    "lm_studio": "LM Studio",
    "gpt4all": "GPT4All",
    "ollama": "Ollama",
    "hub_cache": "Hugging Face cache",
    "llama_cpp": "llama.cpp",
}


class Place(msgspec.Struct, frozen=True):
    """A folder with models that are not ours: one of a program's, or one that the person added."""

    kind: PlaceKind
    folder: Path
    title: str


def known_places(
    home: Path, environment: Mapping[str, str], root: Path = Path("/")
) -> tuple[Place, ...]:
    """The folders of other programs that exist, each once. Reads their settings; never writes.

    `environment` holds the variables by which these folders are moved; `root` is where the
    system's own folders begin.
    """
    found: dict[str, Place] = {}
    for kind, folder in _candidates(home, environment, root):
        # Not the methods of a Path, which raise for names that no system allows.
        if not folder.is_absolute() or not os.path.isdir(folder):  # noqa: PTH112
            continue
        real = os.path.realpath(folder)
        if home.resolve().is_relative_to(real):  # everything the person has is no models folder
            continue
        found.setdefault(real, Place(kind, folder, TITLES[kind]))
    return tuple(found.values())


def _candidates(
    home: Path, environment: Mapping[str, str], root: Path
) -> Iterator[tuple[PlaceKind, Path]]:
    roaming = _from(environment, "APPDATA")
    local = _from(environment, "LOCALAPPDATA")
    support = home / "Library" / "Application Support"
    configs = [*_from(environment, "XDG_CONFIG_HOME"), home / ".config"]
    caches = [*_from(environment, "XDG_CACHE_HOME"), home / ".cache"]
    data = [*_from(environment, "XDG_DATA_HOME"), home / ".local" / "share"]

    studios = [home / ".lmstudio", home / ".cache" / "lm-studio"]
    if pointed := first_line(home / ".lmstudio-home-pointer"):
        studios.insert(0, Path(pointed))
    for folder in (*studios, *(base / "LM Studio" for base in (*configs, support, *roaming))):
        if chosen := json_text(folder / "settings.json", "downloadsFolder"):
            yield "lm_studio", _expanded(chosen, home)
    for folder in studios:
        yield "lm_studio", folder / "models"

    for base in (*configs, *roaming):
        if chosen := qt_ini_text(base / "nomic.ai" / "GPT4All.ini", "General", "modelPath"):
            yield "gpt4all", _expanded(chosen, home)
    for base in (*data, support, *local):
        yield "gpt4all", base / "nomic.ai" / "GPT4All"
    yield "gpt4all", home / ".cache" / "gpt4all"  # where its Python bindings put models

    for folder in (
        *_from(environment, "OLLAMA_MODELS"),
        home / ".ollama" / "models",
        root / "usr" / "share" / "ollama" / ".ollama" / "models",
    ):
        if os.path.isdir(folder / "manifests"):  # noqa: PTH112
            yield "ollama", folder

    yield from (("hub_cache", folder) for folder in _from(environment, "HF_HUB_CACHE"))
    yield from (("hub_cache", folder) for folder in _from(environment, "HUGGINGFACE_HUB_CACHE"))
    yield from (("hub_cache", folder / "hub") for folder in _from(environment, "HF_HOME"))
    yield from (("hub_cache", base / "huggingface" / "hub") for base in caches)

    yield from (("llama_cpp", folder) for folder in _from(environment, "LLAMA_CACHE"))
    for base in (*caches, home / "Library" / "Caches", *local):
        yield "llama_cpp", base / "llama.cpp"


def _from(environment: Mapping[str, str], name: str) -> list[Path]:
    value = environment.get(name, "").strip()
    return [Path(value)] if value else []


def _expanded(text: str, home: Path) -> Path:
    return home / text[2:] if text.startswith(("~/", "~\\")) else Path(text)
