"""The models on this computer: those in our own folder, and files that were added where they lie."""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from catalog.entries import Catalogue, Entry
from catalog.errors import BadModelFile, CatalogError, UnknownModel
from catalog.gguf import check_model_file, is_later_part, model_stem, parts_of
from catalog.library.registry import FileFacts, Registry

_SUFFIX = ".gguf"

ModelKind = Literal["chat", "completion", "embedding", "adapter"]
PlaceKind = Literal[
    "own", "added", "folder", "lm_studio", "gpt4all", "ollama", "hub_cache", "llama_cpp"
]


class InstalledModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be loaded from `path`.

    `managed`: it lies in our models folder, so that removing it deletes its files; any other is
    only forgotten. `size_bytes` is of all its parts, `context_length` in tokens (0: not known).
    `place` says by whom it was found. `base` is what an adapter was made for, `template` the Jinja text
    that the catalogue gives it instead of the file's own. `sha256` is empty until somebody has
    computed it, or a download has. `also_at`: other files with the same content.
    """

    id: str
    name: str
    path: Path
    size_bytes: int
    quant: str
    architecture: str
    context_length: int
    has_template: bool
    managed: bool
    entry: Entry | None
    kind: ModelKind = "chat"
    place: PlaceKind = "own"
    parameters: int = 0
    projector: Path | None = None
    template: str = ""
    base: str = ""
    sha256: str = ""
    also_at: tuple[Path, ...] = ()


class LibraryProblem(msgspec.Struct, frozen=True):
    """A file that should be a model but can't be used, and the reason in words."""

    path: Path
    error: CatalogError


class Library:
    """Knows every installed model. May be used from any thread, and beside other processes.

    Headers are read once: what they say is kept in `registry_file` until the file changes.
    """

    def __init__(self, models_folder: Path, registry_file: Path, catalogue: Catalogue) -> None:
        self._folder = _absolute(models_folder)
        self._registry = Registry(registry_file)
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._problems: tuple[LibraryProblem, ...] = ()

    @property
    def models_folder(self) -> Path:
        return self._folder

    @property
    def problems(self) -> tuple[LibraryProblem, ...]:
        """What `models()` skipped when it last looked."""
        return self._problems

    def models(self) -> tuple[InstalledModel, ...]:
        """Every usable model, by name. Unreadable files are skipped and listed in `problems`."""
        with self._lock:
            return tuple(sorted(self._scan(), key=lambda model: model.name.casefold()))

    def find(self, ref: str) -> InstalledModel:
        """The model of that id, file name, or unique beginning of either, or in the file `ref`.

        A file need not have been added. Raises `UnknownModel` or `BadModelFile`.
        """
        installed = self.models()
        wanted = ref.strip()
        for model in installed:
            if wanted in (model.id, model.path.name):
                return model
        if wanted.lower().endswith(_SUFFIX) or os.sep in wanted or "/" in wanted:
            return self._model_at(Path(wanted), installed)
        beginning = wanted.casefold()
        matches = [
            model
            for model in installed
            if beginning
            and (
                model.id.startswith(beginning)
                or model.path.name.casefold().startswith(beginning)
                or model.name.casefold().startswith(beginning)
            )
        ]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UnknownModel(
                f"“{wanted}” fits more than one model.",
                fix=f"Choose one of {', '.join(model.id for model in matches)}.",
            )
        if wanted and os.path.exists(wanted):  # noqa: PTH110 (Path.exists raises on odd names)
            return self._model_at(Path(wanted), installed)
        raise self._unknown(wanted, installed)

    def add_file(self, path: Path) -> InstalledModel:
        """Check a model file and add it where it lies. Raises `BadModelFile`."""
        where = _absolute(path)
        facts = _read_facts(where)
        with self._lock, self._registry.changing() as files:
            known = files.pop(str(where), None)
            taken = {other.id for other in files.values()}
            facts = msgspec.structs.replace(
                facts,
                id=known.id if known else self._new_id(where, facts, taken),
                added=not self._is_managed(where),
            )
            files[str(where)] = facts
            return self._model(where, facts)

    def remove(self, model_id: str) -> None:
        """Delete a managed model's files, or forget one that was added.

        An added file may be gone: then its id or its path is still known. Raises `UnknownModel`.
        """
        installed = self.models()
        model = next((model for model in installed if model.id == model_id), None)
        path = model.path if model else _absolute(Path(model_id))
        with self._lock, self._registry.changing() as files:
            if model is None and str(path) not in files:
                name = next((name for name, facts in files.items() if facts.id == model_id), None)
                if name is None:
                    raise self._unknown(model_id, installed)
                path = Path(name)
            facts = files.pop(str(path), None)
            if model is not None and model.managed:
                _delete(_parts(path, facts.n_parts if facts else 1))

    def _scan(self) -> Iterator[InstalledModel]:
        known = self._registry.files()
        current: dict[str, FileFacts] = {}
        problems: list[LibraryProblem] = []
        for path in self._candidates(known, problems):
            before = known.get(str(path))
            try:
                facts = before if before and _unchanged(path, before) else _read_facts(path)
            except BadModelFile as error:
                problems.append(LibraryProblem(path, error))
                continue
            if before is None or not before.id:
                taken = {other.id for other in (*known.values(), *current.values())}
                facts = msgspec.structs.replace(facts, id=self._new_id(path, facts, taken))
            elif facts is not before:
                facts = msgspec.structs.replace(facts, id=before.id, added=before.added)
            current[str(path)] = facts
        self._problems = tuple(problems)
        self._registry.remember(current, lambda path: self._is_managed(Path(path)))
        return iter([self._model(Path(path), facts) for path, facts in current.items()])

    def _candidates(
        self, known: Mapping[str, FileFacts], problems: list[LibraryProblem]
    ) -> Iterator[Path]:
        """Managed files first, in a steady order, so that ids are given out the same way."""
        own: list[Path] = []
        try:
            own = sorted(self._folder.iterdir())
        except FileNotFoundError:
            pass  # nothing has been downloaded yet
        except OSError as error:
            unreadable = CatalogError(
                f"The models folder “{self._folder}” can't be read.",
                f"{error.strerror}.",
                "Check who may read it, or choose another models folder.",
            )
            problems.append(LibraryProblem(self._folder, unreadable))
        for path in own:
            if path.suffix.lower() == _SUFFIX and not is_later_part(path):
                yield path
        for name, facts in sorted(known.items()):
            if facts.added and not self._is_managed(Path(name)):
                yield Path(name)

    def _is_managed(self, path: Path) -> bool:
        return path.parent == self._folder

    def _model(self, path: Path, facts: FileFacts) -> InstalledModel:
        entry = self._entry_of(path, facts)
        return InstalledModel(
            id=facts.id,
            name=entry[0].name if entry else facts.name or model_stem(path),
            path=path,
            size_bytes=facts.size_bytes,
            quant=facts.quant,
            architecture=facts.architecture,
            context_length=facts.context_length,
            has_template=facts.has_template,
            managed=self._is_managed(path),
            entry=entry[0] if entry else None,
        )

    def _model_at(self, path: Path, installed: tuple[InstalledModel, ...]) -> InstalledModel:
        where = _absolute(path)
        for model in installed:
            if model.path == where:
                return model
        facts = _read_facts(where)
        taken = {model.id for model in installed}
        return self._model(
            where, msgspec.structs.replace(facts, id=self._new_id(where, facts, taken))
        )

    def _entry_of(self, path: Path, facts: FileFacts) -> tuple[Entry, str] | None:
        """The entry that describes this very file, and the id that the file has by it."""
        for entry in self._catalogue.entries:
            for artifact in entry.artifacts:
                if (artifact.file_name, artifact.size_bytes) == (path.name, facts.size_bytes):
                    first = artifact is entry.artifacts[0]
                    return entry, entry.id if first else f"{entry.id}-{artifact.quant.lower()}"
        return None

    def _new_id(self, path: Path, facts: FileFacts, taken: set[str]) -> str:
        entry = self._entry_of(path, facts)
        wanted = entry[1] if entry else _slug(model_stem(path))
        reserved = taken if entry else taken | {entry.id for entry in self._catalogue.entries}
        model_id, number = wanted, 2
        while model_id in reserved:
            model_id, number = f"{wanted}-{number}", number + 1
        return model_id

    def _unknown(self, ref: str, installed: tuple[InstalledModel, ...]) -> UnknownModel:
        if self._catalogue.entry(ref) is not None:
            return UnknownModel(
                f"“{ref}” is not on this computer yet.", "It is in the catalogue.", "Get it first."
            )
        ids = ", ".join(model.id for model in installed)
        return UnknownModel(
            f"There is no model called “{ref}”.",
            f"On this computer: {ids}." if ids else "No model is on this computer yet.",
        )


def _absolute(path: Path) -> Path:
    """Links are kept: what they lead to often has no telling name."""
    # Not the methods of a Path: one raises for the “~” of an unknown person, one follows links.
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", stem.casefold()).strip("-.") or "model"


def _read_facts(path: Path) -> FileFacts:
    """Check a file and note what it says; the id is given later. Raises `BadModelFile`."""
    header = check_model_file(path)
    parts = _parts(path, header.split_count)
    return FileFacts(
        size_bytes=sum(part.stat().st_size for part in parts),
        stamp=_stamp(parts),
        name=header.name,
        quant=header.quant,
        architecture=header.architecture,
        context_length=header.context_length,
        has_template=bool(header.chat_template),
        n_parts=len(parts),
    )


def _parts(path: Path, n_parts: int) -> tuple[Path, ...]:
    return parts_of(path) if n_parts > 1 else (path,)


def _stamp(parts: tuple[Path, ...]) -> str:
    """Changes when any of the files is written again; empty where one is gone."""
    try:
        states = [part.stat() for part in parts]
    except OSError:
        return ""
    return " ".join(f"{state.st_size}:{state.st_mtime_ns}" for state in states)


def _unchanged(path: Path, facts: FileFacts) -> bool:
    stamp = _stamp(_parts(path, facts.n_parts))
    return bool(stamp) and stamp == facts.stamp


def _delete(parts: tuple[Path, ...]) -> None:
    for part in parts:
        try:
            part.unlink(missing_ok=True)
        except OSError as error:
            raise CatalogError(
                f"“{part.name}” can't be deleted.",
                f"{error.strerror}.",
                "Unload the model first, or delete the file by hand.",
            ) from error
