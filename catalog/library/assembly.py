"""From files that were looked at to models: named, recognised, each once, with what belongs to it."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from catalog.catalogues.entries import Entry
from catalog.gguf.files import model_stem
from catalog.library.facts import FileFacts, file_parts, fingerprint
from catalog.library.found import FoundFile
from catalog.library.found_again import found_again
from catalog.library.installed import InstalledModel, ModelKind
from catalog.library.projectors import projectors_of
from catalog.library.recognition import Recognition, Recognized
from catalog.library.registry import Content, carry_over
from catalog.library.same_content import ComparedFile, same_content
from catalog.library.scan import Looked
from catalog.library.titles import title_of


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """Models and adapters, by path of preference. `facts` are those to be remembered.

    `again` has the new path of each file that was moved or copied, with the path that it had before.
    `aliases` are the other names of a model, to its id: ids of the same content elsewhere, tags.
    """

    models: tuple[InstalledModel, ...]
    facts: dict[str, FileFacts]
    aliases: dict[str, str]
    again: dict[str, str]


def assemble(
    looked: Looked,
    known: Mapping[str, FileFacts],
    contents: Mapping[str, Content],
    recognition: Recognition,
    template_of: Callable[[Entry], str],
) -> Assembled:
    """`known` facts are those of all files ever seen, whose ids stay theirs."""
    facts = dict(looked.facts)

    def sampled(path: str) -> str:
        if not facts[path].fingerprint:
            parts = file_parts(Path(path), facts[path].n_parts)
            facts[path] = msgspec.structs.replace(facts[path], fingerprint=fingerprint(parts))
        return facts[path].fingerprint

    again = found_again(looked, known, sampled)
    for path, old in again.items():
        facts[path] = msgspec.structs.replace(facts[path], id=known[old].id)
    contents = dict(contents)
    carry_over(contents, facts, again)
    usable = [path for path, each in facts.items() if each.kind != "projector"]
    for path in usable:
        if looked.found[path].managed or facts[path].added:
            sampled(path)  # so that it is known again when it was moved
    sha256s = {path: _sha256(looked, contents, path) for path in usable}
    recognized = {
        path: recognition.of(
            looked.found[path].file_name,
            facts[path].size_bytes,
            sha256=sha256s[path],
            repo=looked.found[path].repo,
            entry_id=_entry_id(looked, contents, path),
        )
        for path in usable
    }
    taken = {each.id for each in (*known.values(), *facts.values()) if each.id}
    for path in usable:
        if not facts[path].id:
            model_id = new_id(looked.found[path], recognized[path], taken, recognition.ids)
            taken.add(model_id)
            facts[path] = msgspec.structs.replace(facts[path], id=model_id)

    compared = [
        ComparedFile(path, facts[path].size_bytes, looked.states[path].identity, sha256s[path])
        for path in usable
    ]
    projectors = projectors_of(
        [looked.found[path] for path in usable if facts[path].kind in ("chat", "completion")],
        [looked.found[path] for path, each in facts.items() if each.kind == "projector"],
    )
    models: list[InstalledModel] = []
    aliases: dict[str, str] = {}
    for path, *copies in same_content(compared, sampled):
        everywhere = (path, *copies)
        known_as = next((each for each in map(recognized.get, everywhere) if each), None)
        model = _model(looked.found[path], facts[path], known_as, template_of)
        # Each copy may know something that the others don't.
        projector = next((projectors[each] for each in everywhere if each in projectors), None)
        models.append(
            msgspec.structs.replace(
                model,
                projector=Path(projector) if projector else None,
                sha256=sha256s[path],
                also_at=tuple(map(Path, copies)),
            )
        )
        for copy in copies:
            aliases.setdefault(facts[copy].id, model.id)
        for name in _names(looked.found[each] for each in everywhere):
            aliases.setdefault(name.casefold(), model.id)
    return Assembled(models=tuple(models), facts=facts, aliases=aliases, again=again)


def new_id(
    file: FoundFile, recognized: Recognized | None, taken: set[str], reserved: frozenset[str]
) -> str:
    """An id that is not `taken` and, unless it is the file's by its entry, not `reserved` either."""
    name = file.names[0] if file.names else model_stem(Path(file.path))
    wanted = recognized.model_id if recognized else _slug(name)
    model_id, number = wanted, 2
    while model_id in taken or (not recognized and model_id in reserved):
        model_id, number = f"{wanted}-{number}", number + 1
    return model_id


def _model(
    file: FoundFile,
    facts: FileFacts,
    recognized: Recognized | None,
    template_of: Callable[[Entry], str],
) -> InstalledModel:
    entry = recognized.entry if recognized else None
    template = template_of(entry) if entry else ""
    path = Path(file.path)
    return InstalledModel(
        id=facts.id,
        name=_title(file, facts, entry),
        path=path,
        size_bytes=facts.size_bytes,
        quant=facts.quant,
        architecture=facts.architecture,
        context_length=facts.context_length,
        has_template=facts.has_template,
        managed=file.managed,
        entry=entry,
        kind=_kind(facts, entry, template),
        place=file.place,
        parameters=facts.parameters,
        template=template,
        base=facts.base or (entry.base if entry else ""),
    )


def _title(file: FoundFile, facts: FileFacts, entry: Entry | None) -> str:
    """By the catalogue, else by the place, else by the file."""
    if entry is not None:
        return entry.name
    return file.names[0] if file.names else title_of(file.file_name, file.repo, facts.name)


def _kind(facts: FileFacts, entry: Entry | None, template: str) -> ModelKind:
    """The file knows what it can do, the entry what it is good for."""
    if facts.kind == "adapter" or facts.kind == "embedding":
        return facts.kind
    if entry is not None and entry.kind in ("completion", "embedding"):
        return entry.kind
    return "chat" if facts.kind == "chat" or template else "completion"


def _sha256(looked: Looked, contents: Mapping[str, Content], path: str) -> str:
    content = _content(looked, contents, path)
    return content.sha256 if content and content.sha256 else looked.found[path].sha256


def _entry_id(looked: Looked, contents: Mapping[str, Content], path: str) -> str:
    content = _content(looked, contents, path)
    return content.entry_id if content else ""


def _content(looked: Looked, contents: Mapping[str, Content], path: str) -> Content | None:
    """What is recorded of the file at `path`, unless it was written again since."""
    content = contents.get(path)
    if content is None or looked.states[path].stamp.partition(" ")[0] != content.stamp:
        return None
    return content


def _names(files: Iterable[FoundFile]) -> Iterable[str]:
    return (name for file in files for name in file.names)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.casefold()).strip("-.") or "model"
