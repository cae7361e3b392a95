"""What the Hub says, as plain data."""

from typing import Literal

import msgspec

from catalog.catalogues.entries import HubFile

Sort = Literal["trending", "downloads", "newest"]
Gated = Literal["no", "ask", "granted"]


class HubQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for. `licence` is the Hub's own id of it, such as "apache-2.0".

    `parameters` is a range in billions, either end None for open.
    """

    text: str = ""
    author: str = ""
    licence: str = ""
    adapters: bool = False
    parameters: tuple[float | None, float | None] = (None, None)
    sort: Sort = "trending"


class FoundRepository(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a search. Times are Unix seconds; numbers are 0 where the Hub does not say."""

    repo: str
    downloads: int = 0
    likes: int = 0
    updated: float = 0.0
    licence: str = ""
    gated: bool = False
    parameters: int = 0
    architecture: str = ""
    tags: tuple[str, ...] = ()

    @property
    def author(self) -> str:
        return self.repo.partition("/")[0]

    @property
    def name(self) -> str:
        return self.repo.partition("/")[2]

    @property
    def is_peft(self) -> bool:
        """Whether it is an adapter that must be converted, and no GGUF file."""
        return "gguf" not in self.tags and "peft" in self.tags


class HubPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some results; `more` goes into the next request, empty where these are the last."""

    found: tuple[FoundRepository, ...]
    more: str = ""


class QuantFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The file or the parts of one quant. `sha256` is None where the Hub does not say.

    `size_bytes` is of all parts, None where a mirror does not tell.
    """

    quant: str
    files: tuple["RepositoryFile", ...]

    @property
    def size_bytes(self) -> int | None:
        sizes = [file.size_bytes for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)


class RepositoryFile(msgspec.Struct, frozen=True, kw_only=True):
    source: HubFile
    size_bytes: int | None = None
    sha256: str | None = None


class PeftFiles(msgspec.Struct, frozen=True):
    """An adapter as it was trained, to be converted: its settings and its weights.

    There are none where the weights are only there as a `pickle`, the name of which is given.
    """

    files: tuple[RepositoryFile, ...]
    pickle: str = ""


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository's page: its card in Markdown, and its GGUF files by what they are.

    `peft` is an adapter in it that is to be converted first; None where there is none.

    `gated` "ask": the person must agree on the Hub's page `url` first, and have a token.
    `listed` is False where a mirror lists no files; they can still be fetched by name.
    """

    repo: str
    commit: str
    url: str
    card: str = ""
    licence: str = ""
    licence_url: str = ""
    gated: Gated = "no"
    downloads: int = 0
    likes: int = 0
    updated: float = 0.0
    parameters: int = 0
    architecture: str = ""
    context: int = 0
    base: str = ""
    quants: tuple[QuantFiles, ...] = ()
    projectors: tuple[QuantFiles, ...] = ()
    adapters: tuple[QuantFiles, ...] = ()
    peft: PeftFiles | None = None
    listed: bool = True

    @property
    def groups(self) -> tuple[QuantFiles, ...]:
        """Everything that can be fetched of it, what can be run first."""
        return (*self.quants, *self.adapters, *self.projectors)
