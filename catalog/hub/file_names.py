"""What the names of a repository's files tell: quant, parts, projectors, adapters, draft heads."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from catalog.hub.records import QuantFiles, RepositoryFile

FileKind = Literal["weights", "projector", "adapter", "other"]

_QUANT = re.compile(
    r"(?<![a-z0-9])(UD[-_])?("
    r"I?Q[1-8]_(?:XXS|XS|S|M|NL|XL|L|K(?:_(?:XXS|XS|S|M|L|XXL|XL))?|[01](?:_[48]_[48])?)"
    r"|I?Q[1-8]|TQ[12]_0|MXFP[468](?:_MOE)?|NVFP4|BF16|FP?16|FP?32"
    r")(?![a-z0-9])",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})\.gguf", re.IGNORECASE)
_WORDS = re.compile(r"[^a-z0-9]+")
_BITS = re.compile(r"[0-9]+")
_SPELT = {"FP16": "F16", "FP32": "F32"}
_MOST_PARTS = 1000
# Heads and small models that only speed another one up; llama.cpp finds them by these words.
_DRAFTS = frozenset(["mtp", "eagle", "eagle2", "eagle3", "medusa", "dflash", "dspark"])
_ADAPTERS = frozenset(["lora", "qlora", "adapter"])
_ADAPTER_TAGS = frozenset(["peft", "lora", "qlora"])
# A file that is called an adapter and weighs as much is a model that one was merged into.
_LARGEST_ADAPTER_BYTES = 3 << 30
_PROJECTOR_QUANTS = ("F16", "BF16", "Q8_0", "F32")


class Split(msgspec.Struct, frozen=True):
    """Part `number` of `count`; `stem` is the path that they share."""

    stem: str
    number: int
    count: int


class FileGroups(msgspec.Struct, frozen=True, kw_only=True):
    """A repository's GGUF files, each group with all its parts, the smallest first."""

    quants: tuple[QuantFiles, ...]
    projectors: tuple[QuantFiles, ...]
    adapters: tuple[QuantFiles, ...]


def quant_of(path: str) -> str:
    """The quant that the file's name gives, else that of the closest folder; empty where none does.

    As llama.cpp writes it: "Q4_K_M", "IQ2_XS", "MXFP4", "F16"; "UD-" in front is kept.
    """
    split = split_of(path)
    for part in reversed(PurePosixPath(split.stem if split else path).parts):
        if found := _QUANT.findall(part):
            prefix, quant = map(str.upper, found[-1])
            return ("UD-" if prefix else "") + _SPELT.get(quant, quant)
    return ""


def split_of(path: str) -> Split | None:
    """Which part it is, for `…-00001-of-00003.gguf`; None for a file that is whole."""
    match = _SPLIT.fullmatch(path)
    if match is None:
        return None
    number, count = int(match[2]), int(match[3])
    return Split(match[1], number, count) if 1 <= number <= count <= _MOST_PARTS else None


def kind_of(path: str, size_bytes: int | None = None) -> FileKind:
    """What a file is, by its name; "other" for what can't be run by itself."""
    name = PurePosixPath(path).name.lower()
    if not name.endswith(".gguf") or "imatrix" in name:
        return "other"
    if "mmproj" in name:
        return "projector"
    words = _words(path)
    if words and (words[0] in _DRAFTS or words[-1] in _DRAFTS or "draft" in words):
        return "other"
    if _names_adapter(words) and (size_bytes or 0) <= _LARGEST_ADAPTER_BYTES:
        return "adapter"
    return "weights"


def is_adapter_repository(repo: str, tags: Iterable[str]) -> bool:
    """Whether all weights of a repository are adapters, by its name and tags.

    A tag such as "peft" alone says little: quants of a merged model inherit it.
    """
    given = {tag.lower() for tag in tags}
    if "gguf-my-lora" in given or any(tag.startswith("base_model:adapter:") for tag in given):
        return True
    name = repo.rpartition("/")[2].lower().removesuffix("-gguf")
    return bool(given & _ADAPTER_TAGS) and _names_adapter(_words(name))


def group_files(files: Iterable[RepositoryFile], *, adapters: bool = False) -> FileGroups:
    """The files by what they are, the parts of a split model together.

    A model of which a part is missing is left out, since it can't be run. With `adapters`, what
    looks like weights is taken for an adapter.
    """
    groups: dict[tuple[FileKind, str, int], dict[int, RepositoryFile]] = {}
    for file in files:
        path = file.source.path
        split = split_of(path) or Split(path, 1, 1)
        kind = kind_of(path, file.size_bytes)
        if adapters and kind == "weights":
            kind = "adapter"
        groups.setdefault((kind, split.stem, split.count), {}).setdefault(split.number, file)
    found: dict[FileKind, list[QuantFiles]] = {}
    for (kind, _, count), parts in groups.items():
        if len(parts) == count:
            ordered = tuple(parts[number] for number in sorted(parts))
            quant = quant_of(ordered[0].source.path)
            found.setdefault(kind, []).append(QuantFiles(quant=quant, files=ordered))
    return FileGroups(
        quants=_sorted(found.get("weights", ())),
        projectors=_sorted(found.get("projector", ())),
        adapters=_sorted(found.get("adapter", ())),
    )


def projector_for(weights: QuantFiles, projectors: Sequence[QuantFiles]) -> QuantFiles | None:
    """The projector that belongs to these weights: from the closest folder, F16 where there is one."""
    folder = PurePosixPath(weights.files[0].source.path).parent
    near = [each for each in projectors if _folder(each) in (folder, *folder.parents)]
    return min(
        near,
        key=lambda each: (
            -len(_folder(each).parts),
            _PROJECTOR_QUANTS.index(each.quant)
            if each.quant in _PROJECTOR_QUANTS
            else len(_PROJECTOR_QUANTS),
        ),
        default=None,
    )


def _folder(group: QuantFiles) -> PurePosixPath:
    return PurePosixPath(group.files[0].source.path).parent


def _words(path: str) -> list[str]:
    """The words of the file's name, without part numbers and quant."""
    split = split_of(path)
    name = PurePosixPath(split.stem if split else path).name.lower().removesuffix(".gguf")
    return [word for word in _WORDS.split(_QUANT.sub(" ", name)) if word]


def _names_adapter(words: Sequence[str]) -> bool:
    """In the middle, as in `alpaca-lora-7b`, the word tells how a whole model was made."""
    if not words:
        return False
    return (
        words[0] in _ADAPTERS
        or words[-1] in _ADAPTERS
        or "adapter model" in " ".join(words)  # as PEFT calls its file
    )


def _sorted(groups: Iterable[QuantFiles]) -> tuple[QuantFiles, ...]:
    return tuple(sorted(groups, key=_order))


def _order(group: QuantFiles) -> tuple[bool, int, int, str]:
    size = group.size_bytes
    bits = _BITS.search(group.quant)
    path = group.files[0].source.path
    return size is None, size or 0, int(bits[0]) if bits else 0, path
