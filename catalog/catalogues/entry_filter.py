"""Finding entries of the catalogue while a person types."""

import re
import unicodedata
from collections.abc import Iterable

import msgspec

from catalog.catalogues.entries import Entry, Kind
from catalog.catalogues.sizes import expected_bytes

_WORD_BREAK = re.compile(r"[\W_]+")
_LICENCE_PARTS = re.compile(r"\s+(?:and|or|with)\s+")


class EntryFilter(msgspec.Struct, frozen=True):
    """What is looked for; what is empty or None does not narrow.

    Every word of `text` must occur, all `capabilities` are wanted, any of the `kinds` will do.
    `licence` is an id, also as part of an expression such as "MIT AND llama3.1". `max_bytes` must
    be kept by the entry's smallest file whose size can be told.
    """

    text: str = ""
    kinds: frozenset[Kind] = frozenset()
    capabilities: frozenset[str] = frozenset()
    licence: str = ""
    max_bytes: int | None = None
    collection: str = ""


class _Indexed(msgspec.Struct, frozen=True):
    """An entry as it is searched, its texts folded; `name` and `texts` begin with a space."""

    entry: Entry
    name: str
    texts: str
    joined_name: str
    capabilities: frozenset[str]
    licences: frozenset[str]
    smallest_bytes: int

    def has(self, word: str) -> bool:
        """Whether a folded word occurs: “qwen3.5” in “Qwen3.5 9B”, and “llama3” in “Llama 3.2”."""
        return word in self.texts or word.replace(" ", "") in self.joined_name


class EntryIndex:
    """Entries made ready to be searched. It never changes, so that any thread may use it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(map(_indexed, entries))

    def find(self, wanted: EntryFilter) -> tuple[Entry, ...]:
        """The entries that match, best first: by name, then by the rest; equals as in the catalogue."""
        words = [folded for word in wanted.text.split() if (folded := _folded(word))]
        licence = wanted.licence.casefold()
        found = [
            each
            for each in self._entries
            if all(each.has(word) for word in words)
            and wanted.capabilities <= each.capabilities
            and (not wanted.kinds or each.entry.kind in wanted.kinds)
            and (not licence or licence in each.licences)
            and (not wanted.collection or each.entry.collection == wanted.collection)
            and (wanted.max_bytes is None or 0 < each.smallest_bytes <= wanted.max_bytes)
        ]
        if words:
            found.sort(key=lambda each: _distance(each, words))
        return tuple(each.entry for each in found)


def _distance(each: _Indexed, words: list[str]) -> int:
    """How far an entry is from what was typed: 0 where its name is just that."""
    typed = f" {' '.join(words)}"
    if each.name.startswith(typed):
        return int(each.name != typed)
    return 2 + sum(_word_distance(each, word) for word in words)


def _word_distance(each: _Indexed, word: str) -> int:
    if f" {word}" in each.name:
        return 0
    if word in each.name:
        return 1
    return 2 if f" {word}" in each.texts else 3


def _indexed(entry: Entry) -> _Indexed:
    texts = (
        entry.name,
        entry.id,
        entry.family,
        entry.architecture,
        entry.kind,
        *entry.capabilities,
        *entry.tags,
        entry.licence.id,
        entry.base,
        *(artifact.quant for artifact in entry.artifacts),
        entry.summary,
        entry.showed,
    )
    name = _folded(entry.name)
    licence = entry.licence.id.casefold()
    sizes = (expected_bytes(entry, artifact)[0] for artifact in entry.weights)
    return _Indexed(
        entry=entry,
        name=f" {name}",
        texts=f" {_folded(' '.join(texts))}",
        joined_name=name.replace(" ", ""),
        capabilities=frozenset(
            entry.capabilities + (("vision",) if entry.kind == "vision" else ())
        ),
        licences=frozenset((licence, *_LICENCE_PARTS.split(licence))),
        smallest_bytes=min(filter(None, sizes), default=0),
    )


def _folded(text: str) -> str:
    """Text for comparing: without case, accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return _WORD_BREAK.sub(" ", bare).strip()
