"""A repository of the Hub stand-in, and what its API says of it."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.catalog.file_server import Content, Generated

Gate = Literal["", "auto", "manual"]


class HubRepository(msgspec.Struct, kw_only=True):
    """`private` and `gated` ones open for `readers`, by account."""

    repo: str
    files: dict[str, Content]
    info: dict[str, Any]
    gated: Gate = ""
    private: bool = False
    readers: frozenset[str] = frozenset()
    digests: dict[str, str] = {}

    @property
    def commit(self) -> str:
        return str(self.info["sha"])

    def size(self, path: str) -> int:
        content = self.files[path]
        if isinstance(content, Path):
            return content.stat().st_size
        return content.size if isinstance(content, Generated) else len(content)

    def sha256(self, path: str) -> str:
        if path not in self.digests:
            content = self.files[path]
            if isinstance(content, Generated):
                self.digests[path] = content.sha256
            elif isinstance(content, Path):
                with content.open("rb") as file:
                    self.digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
            else:
                self.digests[path] = hashlib.sha256(content).hexdigest()
        return self.digests[path]

    def oid(self, path: str) -> str:
        """The git hash; that of a big file stands for its pointer."""
        content = self.files[path]
        data = content if isinstance(content, bytes) else path.encode()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def tree_entry(self, path: str) -> dict[str, Any]:
        size = self.size(path)
        entry: dict[str, Any] = {"type": "file", "path": path, "size": size, "oid": self.oid(path)}
        if is_big(path):
            entry["lfs"] = {"oid": self.sha256(path), "size": size, "pointerSize": 135}
        return entry

    def page(self, *, with_sizes: bool) -> dict[str, Any]:
        if not with_sizes:
            return {"siblings": [{"rfilename": path} for path in self.files]}
        return {"siblings": [self._sibling(path) for path in self.files]}

    def facts(self, fields: list[str] | None = None) -> dict[str, Any]:
        if fields is None:
            return self.info
        return {name: self.info[name] for name in ("_id", "id", *fields) if name in self.info}

    def is_wanted(self, query: Mapping[str, list[str]]) -> bool:
        """Whether a search finds it; `query` as in the address."""
        tags = set(self.info["tags"])
        text = query.get("search", [""])[0].lower()
        author = query.get("author", [""])[0]
        header = self.info.get("gguf")
        parameters = header["total"] if isinstance(header, dict) else 0
        return (
            tags.issuperset(query.get("filter", []))
            and text in self.repo.lower()
            and author in ("", self.info["author"])
            and all(_is_within(parameters, each) for each in query.get("num_parameters", []))
        )

    def _sibling(self, path: str) -> dict[str, Any]:
        sibling = {"rfilename": path, "size": self.size(path), "blobId": self.oid(path)}
        if is_big(path):
            linked = {"sha256": self.sha256(path), "size": self.size(path), "pointerSize": 135}
            sibling["lfs"] = linked
        return sibling


def describe(
    repo: str,
    files: Mapping[str, Content],
    *,
    card: str = "",
    licence: str = "apache-2.0",
    gated: Gate | bool = "",
    private: bool = False,
    readers: Iterable[str] = (),
    tags: Iterable[str] = (),
    downloads: int = 0,
    likes: int = 0,
    parameters: int = 0,
    architecture: str = "",
    context: int = 0,
    base: str = "",
    updated: str = "2025-01-01T00:00:00.000Z",
    trending: float = 0.0,
    **more: Any,
) -> HubRepository:
    """A repository with these files and facts; `more` adds to or replaces what the API says."""
    everything: dict[str, Content] = dict(files)
    if card:
        everything["README.md"] = card.encode()
    gate: Gate = "auto" if gated is True else gated or ""
    info: dict[str, Any] = {
        "_id": hashlib.sha1(repo.encode()).hexdigest()[:24],
        "id": repo,
        "modelId": repo,
        "author": repo.partition("/")[0],
        "sha": hashlib.sha1(f"{repo} {sorted(everything)}".encode()).hexdigest(),
        "private": private,
        "gated": gate or False,
        "disabled": False,
        "downloads": downloads,
        "likes": likes,
        "lastModified": updated,
        "createdAt": updated,
        "trendingScore": trending,
        "tags": ["gguf", f"license:{licence}", *tags],
        "library_name": "gguf",
        "cardData": {"license": licence, **({"base_model": base} if base else {})},
    }
    if parameters or architecture or context:
        info["gguf"] = {
            "total": parameters,
            "architecture": architecture,
            "context_length": context,
        }
    return HubRepository(
        repo=repo,
        files=everything,
        info=info | more,
        gated=gate,
        private=private,
        readers=frozenset(readers),
    )


def is_big(path: str) -> bool:
    """Whether the Hub keeps a file of that name apart from git."""
    return path.lower().endswith(".gguf")


def _is_within(parameters: int, span: str) -> bool:
    for end in span.split(","):
        kind, _, billions = end.partition(":")
        limit = float(billions.removesuffix("B")) * 1e9
        if (kind == "min" and parameters < limit) or (kind == "max" and parameters > limit):
            return False
    return True
