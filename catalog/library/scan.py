"""One look at everything that lies on this computer."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from catalog.errors import BadModelFile
from catalog.gguf.files import is_later_part
from catalog.gguf.known_texts import KnownTexts
from catalog.library.facts import READER, FileFacts, FileState, read_facts, state_of
from catalog.library.found import FoundFile, gguf_files
from catalog.library.hub_cache import hub_cache_files, llama_cpp_files
from catalog.library.installed import LibraryProblem
from catalog.library.ollama import ollama_files
from catalog.library.places import Place

_READERS = 4
_WORTH_THREADS = 16
_OWN_DEPTH = 4
_UNFINISHED = "incomplete-"  # how GPT4All names a file while it fetches it


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, by path in order of preference: what is ours, what was added, the others.

    `facts` and `states` have only what can be used.
    """

    found: dict[str, FoundFile]
    facts: dict[str, FileFacts]
    states: dict[str, FileState]
    problems: tuple[LibraryProblem, ...]


def look(
    own: Path,
    places: Iterable[Place],
    known: Mapping[str, FileFacts],
    *,
    most_new: int | None = None,
) -> Looked:
    """Find all files and read those that are new or have changed since they were `known`.

    At most `most_new` are read; the others are left for the next look. None: all.
    """
    problems: list[LibraryProblem] = []
    found: dict[str, FoundFile] = {}
    for file in _own_files(own, problems):
        found.setdefault(file.path, file)
    for path, facts in sorted(known.items()):
        if facts.added and not (path in found and found[path].managed):
            found[path] = FoundFile(path=path, place="added", loose=True)
    for place in places:
        for file in files_of(place, problems):
            found.setdefault(file.path, file)
    facts_of: dict[str, FileFacts] = {}
    states: dict[str, FileState] = {}
    unread: list[str] = []
    for path in found:
        before = known.get(path)
        state = state_of(path, before.n_parts) if before else None
        if before and state and state.stamp == before.stamp and before.reader == READER:
            facts_of[path], states[path] = before, state
        else:
            unread.append(path)
    unread = unread[:most_new]
    for path, read in zip(unread, _read_all(unread), strict=True):
        if isinstance(read, BadModelFile):
            problems.append(LibraryProblem(Path(path), read))
        elif state := state_of(path, read.n_parts):
            before = known.get(path)
            kept = {"id": before.id, "added": before.added} if before else {}
            facts_of[path] = msgspec.structs.replace(read, **kept)
            states[path] = state
    return Looked(
        found=found,
        facts={path: facts_of[path] for path in found if path in facts_of},
        states=states,
        problems=tuple(problems),
    )


def files_of(place: Place, problems: list[LibraryProblem]) -> Iterable[FoundFile]:
    """The files of a place, each model once however many parts it has."""
    if place.kind == "ollama":
        return ollama_files(place.folder, problems)
    if place.kind == "hub_cache":
        files = hub_cache_files(place.folder, problems)
    elif place.kind == "llama_cpp":
        files = llama_cpp_files(place.folder, problems)
    else:
        files = (
            FoundFile(
                path=file.path,
                place=place.kind,
                repo="/".join(file.above[:2]) if len(file.above) >= 2 else "",
                loose=not file.above,
            )
            for file in gguf_files(place.folder, problems)
            if place.kind != "gpt4all" or _UNFINISHED not in file.path
        )
    return (file for file in files if not is_later_part(Path(file.path)))


def _own_files(own: Path, problems: list[LibraryProblem]) -> Iterable[FoundFile]:
    for file in gguf_files(own, problems, depth=_OWN_DEPTH):
        if not is_later_part(Path(file.path)):
            yield FoundFile(
                path=file.path,
                place="folder" if file.linked else "own",
                managed=not file.linked,
                repo="/".join(file.above[:2]) if len(file.above) >= 2 else "",
                loose=not file.above,
            )


def _read_all(paths: list[str]) -> Iterable[FileFacts | BadModelFile]:
    known_texts = KnownTexts()

    def read(path: str) -> FileFacts | BadModelFile:
        try:
            return read_facts(Path(path), known_texts)
        except BadModelFile as error:
            return error

    if len(paths) < _WORTH_THREADS:
        return [read(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor  # only for a first look at many

    with ThreadPoolExecutor(_READERS, thread_name_prefix="model-headers") as readers:
        return list(readers.map(read, paths))
