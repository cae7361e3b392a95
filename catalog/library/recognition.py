"""Which entry of the catalogue a file on this computer is."""

from collections.abc import Sequence

import msgspec

from catalog.catalogues.entries import Artifact, Entry, HubFile

_ROUNDING = 0.02  # sizes are published with two or three digits


class Recognized(msgspec.Struct, frozen=True):
    """`model_id` is the id that the file has by its entry."""

    entry: Entry
    artifact: Artifact | None
    model_id: str


class Recognition:
    """Finds entries by what is known of a file. Built once for a catalogue, used for every file."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.ids = frozenset(entry.id for entry in entries)
        self._by_id = {entry.id: entry for entry in reversed(entries)}
        self._by_sha256: dict[str, tuple[Entry, Artifact]] = {}
        self._by_name: dict[str, list[tuple[Entry, Artifact]]] = {}
        for entry in entries:
            for artifact in entry.weights:
                if artifact.sha256:
                    self._by_sha256.setdefault(artifact.sha256, (entry, artifact))
                if artifact.sources:
                    self._by_name.setdefault(artifact.file_name, []).append((entry, artifact))

    def of(
        self, name: str, size_bytes: int, *, sha256: str = "", repo: str = "", entry_id: str = ""
    ) -> Recognized | None:
        """The entry that a file was fetched for, else that of its content, else of its name and size.

        A size that is published in rounded form will do, and none at all where the file lies in a
        folder of the very repository that the entry names.
        """
        named = self._by_name.get(name, [])
        if entry_id in self._by_id:
            entry = self._by_id[entry_id]
            own = [artifact for other, artifact in named if other.id == entry.id]
            return _recognized(entry, own[0] if own else self._of_content(entry, sha256))
        if sha256 in self._by_sha256:
            return _recognized(*self._by_sha256[sha256])
        for entry, artifact in named:
            if sha256 and artifact.sha256 and sha256 != artifact.sha256:
                continue
            if _fits(artifact, size_bytes, repo):
                return _recognized(entry, artifact)
        return None

    def _of_content(self, entry: Entry, sha256: str) -> Artifact | None:
        return next((each for each in entry.weights if each.sha256 and each.sha256 == sha256), None)


def _fits(artifact: Artifact, size_bytes: int, repo: str) -> bool:
    if artifact.size_bytes is not None:
        return artifact.size_bytes == size_bytes
    if artifact.about_bytes is not None:
        return abs(artifact.about_bytes - size_bytes) <= _ROUNDING * artifact.about_bytes
    return any(isinstance(each, HubFile) and each.repo == repo for each in artifact.sources)


def _recognized(entry: Entry, artifact: Artifact | None) -> Recognized:
    first = artifact is None or artifact is entry.weights[0]
    return Recognized(
        entry,
        artifact,
        entry.id if first or not artifact else f"{entry.id}-{artifact.quant.lower()}",
    )
