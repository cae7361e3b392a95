"""The models on this computer: in our own folder, added where they lie, or other programs'."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from catalog.catalogues.entries import Catalogue, Entry
from catalog.errors import UnknownModel
from catalog.gguf.files import check_model_file
from catalog.library.assembly import Assembled, assemble, new_id
from catalog.library.content import Expected, Verification, digests_of, verified
from catalog.library.details import ModelDetails, details_of
from catalog.library.facts import FileFacts, file_parts, read_facts, state_of
from catalog.library.found import FoundFile
from catalog.library.found_again import id_from_before
from catalog.library.installed import InstalledModel, LibraryProblem, ModelKind, PlaceKind
from catalog.library.places import TITLES, Place
from catalog.library.recognition import Recognition
from catalog.library.records import expected_of, record_computed, record_download
from catalog.library.registry import Registry
from catalog.library.removal import not_ours, take_away
from catalog.library.scan import Looked, look
from catalog.library.watching import WatchedFolder, watch_folders

__all__ = ["InstalledModel", "Library", "LibraryProblem", "ModelKind", "PlaceKind"]

_SUFFIX = ".gguf"


def _no_places() -> tuple[Place, ...]:
    return ()


def _no_template(entry: Entry) -> str:
    return ""


def _unheard(done: int, total: int) -> None:
    pass


class Library:
    """Knows every installed model. May be used from any thread, and beside other processes.

    Headers are read once: what they say is kept in `registry_file` until the file changes.
    `catalogue` gives the entries that files are recognised by; where it is a function, it is asked
    at each look, as is `places` for the folders of others, which are never written to.
    `template_of` gives an entry's Jinja text, empty where the file's own is right.
    """

    def __init__(
        self,
        models_folder: Path,
        registry_file: Path,
        catalogue: Catalogue | Callable[[], Sequence[Entry]],
        places: Callable[[], Sequence[Place]] = _no_places,
        template_of: Callable[[Entry], str] = _no_template,
    ) -> None:
        self._folder = _absolute(models_folder)
        self._registry = Registry(registry_file)
        self.registry_file = self._registry.file
        self._entries = (
            (lambda: catalogue.entries) if isinstance(catalogue, Catalogue) else catalogue
        )
        self._places = places
        self._template_of = template_of
        self._lock = threading.Lock()
        self._problems: tuple[LibraryProblem, ...] = ()
        self._recognized_by: tuple[Sequence[Entry], Recognition] | None = None
        self._titles: dict[Path, str] = {}

    @property
    def models_folder(self) -> Path:
        return self._folder

    @property
    def problems(self) -> tuple[LibraryProblem, ...]:
        """What the last look skipped."""
        return self._problems

    def everything(self, *, most_new: int | None = None) -> tuple[InstalledModel, ...]:
        """Every usable model and adapter, by name, in one look. What is unusable is in `problems`.

        At most `most_new` files that are not known yet are read; None: all of them.
        """
        return self._scan(most_new)[0].models

    def models(self) -> tuple[InstalledModel, ...]:
        """Every usable model, by name, those for search too."""
        return tuple(model for model in self.everything() if model.kind != "adapter")

    def adapters(self) -> tuple[InstalledModel, ...]:
        """Every adapter, by name. `base` says what it was made for."""
        return tuple(model for model in self.everything() if model.kind == "adapter")

    def find(self, ref: str) -> InstalledModel:
        """The model of that id, name, or unique beginning of either, or in the file `ref`.

        An adapter is found by its whole id or name. A file need not have been added. Raises
        `UnknownModel` or `BadModelFile`.
        """
        assembled = self._scan()[0]
        wanted = ref.strip()
        folded = wanted.casefold()
        for model in assembled.models:
            if wanted in (model.id, model.path.name):
                return model
        other_name = assembled.aliases.get(folded)
        for model in assembled.models:
            if model.id == other_name:
                return model
        if wanted.lower().endswith(_SUFFIX) or os.sep in wanted or "/" in wanted:
            return self._model_at(Path(wanted), assembled)
        installed = tuple(model for model in assembled.models if model.kind != "adapter")
        matches = [model for model in installed if folded and _begins(model, folded)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UnknownModel(
                f"“{wanted}” fits more than one model.",
                fix=f"Choose one of {', '.join(model.id for model in matches)}.",
            )
        if wanted and os.path.exists(wanted):  # noqa: PTH110 (Path.exists raises on odd names)
            return self._model_at(Path(wanted), assembled)
        raise self._unknown(wanted, installed)

    def find_adapter(self, ref: str) -> InstalledModel:
        """The adapter of that id, name, or unique beginning of either, or in the file `ref`.

        Raises `UnknownModel` or `BadModelFile`.
        """
        wanted = ref.strip()
        assembled = self._scan()[0]
        adapters = [model for model in assembled.models if model.kind == "adapter"]
        folded = wanted.casefold()
        for adapter in adapters:
            if folded in (adapter.id.casefold(), adapter.name.casefold(), adapter.path.name):
                return adapter
        if wanted.lower().endswith(_SUFFIX) or os.sep in wanted:
            where = _absolute(Path(wanted))
            facts = self._facts_of_loose(where)
            if facts.kind != "adapter":
                raise UnknownModel(f"“{where.name}” is a model, not an adapter.")
            return _at(where, assembled) or self._loose_model(where, facts, frozenset())
        matches = [adapter for adapter in adapters if folded and _begins(adapter, folded)]
        if len(matches) == 1:
            return matches[0]
        names = ", ".join(adapter.id for adapter in matches or adapters)
        raise UnknownModel(
            f"“{wanted}” fits more than one adapter."
            if matches
            else f"There is no adapter called “{wanted}”.",
            fix=f"Choose one of {names}." if names else "Get one, or give the path of a file.",
        )

    def files(self, model: InstalledModel) -> tuple[Path, ...]:
        """The files of a model, of which there are several where it is split."""
        return self._parts(model)

    def add_file(self, path: Path) -> InstalledModel:
        """Check a model or adapter and add it where it lies. Raises `BadModelFile`.

        One that is listed already, in whatever place, stays as it is.
        """
        where = _absolute(path)
        listed = _at(where, self._scan()[0])
        if listed is not None:
            return listed
        facts = self._facts_of_loose(where)
        with self._lock, self._registry.changing() as known:
            file = FoundFile(path=str(where), place="added", loose=True)
            model_id = id_from_before(where, facts, known.files)
            taken = {other.id for other in known.files.values()}
            recognition = self._recognition()
            recognized = recognition.of(where.name, facts.size_bytes)
            model_id = model_id or new_id(file, recognized, taken, recognition.ids)
            known.files[str(where)] = msgspec.structs.replace(facts, id=model_id, added=True)
        return _at(where, self._scan()[0]) or self._loose_model(where, facts, frozenset())

    def note_download(self, path: Path, entry_id: str = "", sha256: str = "") -> None:
        """Keep what a download knows of a file: its checksum, and the entry it was fetched for.

        For every file of a model, its projector included. Raises `CatalogError` where it can't be kept.
        """
        with self._lock:
            record_download(self._registry, _absolute(path), entry_id, sha256)

    def remove(self, model_id: str, *, for_good: bool = False) -> int:
        """Put a managed model's files into the trash, or forget one that was added.

        Its projector goes with it where no other model needs it. Returns the bytes freed. An added
        file may be gone: then its id or its path is still known. `for_good` deletes at once. Raises
        `UnknownModel`, `TrashUnavailable`, and `CatalogError` for what belongs to another program.
        """
        assembled, _ = self._scan()
        model = next((each for each in assembled.models if each.id == model_id), None)
        freed = 0
        if model is not None and model.managed:
            files = list(self._parts(model, assembled))
            if model.projector and _belongs_to_no_other(model.projector, model, assembled):
                files.append(model.projector)
            freed = take_away(files, self._folder, for_good=for_good)
        elif model is not None and model.place != "added":
            raise not_ours(model)
        with self._lock, self._registry.changing() as known:
            path = str(model.path if model else _absolute(Path(model_id)))
            if path not in known.files and model_id:  # projectors have no id
                path = next((p for p, facts in known.files.items() if facts.id == model_id), path)
            if model is None and path not in known.files:
                raise self._unknown(model_id, assembled.models)
            known.files.pop(path, None)
            known.contents.pop(path, None)
        return freed

    def digest(
        self,
        model: InstalledModel,
        on_progress: Callable[[int, int], None] = _unheard,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Compute and keep the SHA-256 of a model's files; that of its first is returned.

        Blocks for as long as reading takes; `on_progress` is told bytes read, of all, on this
        thread. Raises `DownloadCancelled`, and `CatalogError` where a file can't be read.
        """
        parts = self._parts(model)
        digests = digests_of(parts, on_progress, cancelled or threading.Event())
        with self._lock:
            record_computed(self._registry, parts, digests)
        return digests[0]

    def verify(
        self,
        model: InstalledModel,
        on_progress: Callable[[int, int], None] = _unheard,
        cancelled: threading.Event | None = None,
    ) -> Verification:
        """Check that a model's files are what they should be. Blocks and raises as `digest` does."""
        parts = self._parts(model)
        expected = [self._expected(model, part) for part in parts]
        outcome, digests = verified(parts, expected, on_progress, cancelled or threading.Event())
        if outcome.sound:
            with self._lock:
                record_computed(self._registry, parts, digests)
        return outcome

    def details(self, model: InstalledModel) -> ModelDetails:
        """All that can be told of a model. Reads its header. Raises `BadModelFile`."""
        assembled, looked = self._scan()
        file = looked.found.get(str(model.path))
        source = self._expected(model, model.path).against if model.sha256 else ""
        return details_of(
            model,
            self._parts(model, assembled),
            self._title_of(model),
            source,
            file.licence_file if file else "",
        )

    def watch(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call `on_change`, on a thread of the watch's own, soon after models come, change or go.

        Returns what ends the watch. Folders that appear later are watched from then on.
        """
        return watch_folders(self._watched, on_change)

    def _watched(self) -> tuple[WatchedFolder, ...]:
        added = [Path(path) for path, facts in self._registry.read().files.items() if facts.added]
        return (
            WatchedFolder(self._folder),
            *(WatchedFolder(place.folder) for place in self._others()),
            *dict.fromkeys(WatchedFolder(path.parent, deep=False) for path in added),
        )

    def _others(self) -> tuple[Place, ...]:
        return tuple(
            msgspec.structs.replace(place, folder=_absolute(place.folder))
            for place in self._places()
        )

    def _scan(self, most_new: int | None = None) -> tuple[Assembled, Looked]:
        with self._lock:
            known = self._registry.read()
            places = self._others()
            looked = look(self._folder, places, known.files, most_new=most_new)
            assembled = assemble(
                looked, known.files, known.contents, self._recognition(), self._template_of
            )
            self._problems = looked.problems
            self._titles = {place.folder: place.title for place in places}
            folders = [f"{folder}{os.sep}" for folder in (self._folder, *self._titles)]
            self._registry.remember(
                assembled.facts,
                lambda path: (
                    path not in looked.found
                    and path.startswith(tuple(folders))
                    and not os.path.exists(path)  # noqa: PTH110
                ),
                assembled.again,
            )
        models = sorted(assembled.models, key=lambda model: model.name.casefold())
        return msgspec.structs.replace(assembled, models=tuple(models)), looked

    def _recognition(self) -> Recognition:
        entries = tuple(self._entries())
        if self._recognized_by is None or self._recognized_by[0] != entries:
            self._recognized_by = (entries, Recognition(entries))
        return self._recognized_by[1]

    def _model_at(self, path: Path, assembled: Assembled) -> InstalledModel:
        where = _absolute(path)
        listed = _at(where, assembled)
        if listed is not None:
            return listed
        taken = frozenset(model.id for model in assembled.models)
        return self._loose_model(where, self._facts_of_loose(where, adapters=False), taken)

    def _facts_of_loose(self, path: Path, *, adapters: bool = True) -> FileFacts:
        """Raises `BadModelFile` for what is no model, nor an adapter where those are wanted."""
        facts = read_facts(path)
        if facts.kind == "projector" or (facts.kind == "adapter" and not adapters):
            check_model_file(path)
        return facts

    def _loose_model(self, path: Path, facts: FileFacts, taken: frozenset[str]) -> InstalledModel:
        """A file that is not listed, described as if it were."""
        name = str(path)
        file = FoundFile(path=name, place="added", loose=True)
        recognition = self._recognition()
        recognized = recognition.of(path.name, facts.size_bytes)
        facts = msgspec.structs.replace(
            facts, id=new_id(file, recognized, set(taken), recognition.ids)
        )
        state = state_of(name, facts.n_parts)
        looked = Looked(
            found={name: file},
            facts={name: facts},
            states={name: state} if state else {},
            problems=(),
        )
        return assemble(looked, {}, {}, recognition, self._template_of).models[0]

    def _parts(self, model: InstalledModel, assembled: Assembled | None = None) -> tuple[Path, ...]:
        known = assembled.facts if assembled else self._registry.read().files
        facts = known.get(str(model.path)) or read_facts(model.path)
        return file_parts(model.path, facts.n_parts)

    def _expected(self, model: InstalledModel, part: Path) -> Expected:
        return expected_of(model, part, self._registry.read().contents, self._recognition())

    def _title_of(self, model: InstalledModel) -> str:
        for folder, title in self._titles.items():
            if model.place not in ("own", "added") and model.path.is_relative_to(folder):
                return title
        return TITLES[model.place]

    def _unknown(self, ref: str, installed: Sequence[InstalledModel]) -> UnknownModel:
        if ref in self._recognition().ids:
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


def _at(path: Path, assembled: Assembled) -> InstalledModel | None:
    """The model that is shown for a file."""
    for model in assembled.models:
        if model.path == path or path in model.also_at:
            return model
    return None


def _begins(model: InstalledModel, folded: str) -> bool:
    return (
        model.id.startswith(folded)
        or model.path.name.casefold().startswith(folded)
        or model.name.casefold().startswith(folded)
    )


def _belongs_to_no_other(projector: Path, model: InstalledModel, assembled: Assembled) -> bool:
    """Whether it came with this model: it lies beside it, not beside a copy, and none other has it."""
    return projector.parent == model.path.parent and not any(
        other.projector == projector and other.path != model.path for other in assembled.models
    )
