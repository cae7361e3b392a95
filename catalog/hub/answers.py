"""Reading what the Hub's API answers: every field is checked, and what is odd is left out."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from catalog.catalogues.entries import HubFile
from catalog.hub.peft_files import NAMES as PEFT_NAMES
from catalog.hub.records import FoundRepository, RepositoryFile
from catalog.safe_names import is_repository, is_safe_path

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_UNSEEN_IN_CARD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LARGEST_NUMBER = 10**15
_LONGEST_TEXT = 200
_MOST_TAGS = 100
_MOST_FILES = 10_000


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a repository says, as far as it could be read.

    `files` are None where the server lists none. `gated` is the Hub's own claim.
    """

    commit: str = ""
    licence: str = ""
    licence_url: str = ""
    gated: bool = False
    downloads: int = 0
    likes: int = 0
    updated: float = 0.0
    parameters: int = 0
    architecture: str = ""
    context: int = 0
    base: str = ""
    tags: tuple[str, ...] = ()
    files: tuple[RepositoryFile, ...] | None = None
    has_card: bool = True


def found_repositories(answer: object) -> tuple[FoundRepository, ...] | None:
    """The lines of a search; None where the answer is no list at all."""
    if not isinstance(answer, list):
        return None
    found: dict[str, FoundRepository] = {}
    for item in answer:
        repo = _fields(item).get("id")
        if isinstance(repo, str) and is_repository(repo):
            found.setdefault(repo, _found(repo, _fields(item)))
    return tuple(found.values())


def facts(answer: object, repo: str, revision: str) -> Facts | None:
    """What the page of a repository says; None where the answer is none."""
    if not isinstance(answer, dict):
        return None
    card, gguf = _fields(answer.get("cardData")), _fields(answer.get("gguf"))
    commit = _matching(answer.get("sha"), _COMMIT)
    siblings = answer.get("siblings")
    files = (
        tuple(_files(siblings, "rfilename", repo, commit or revision))
        if isinstance(siblings, list)
        else None
    )
    tags = _tags(answer.get("tags"))
    return Facts(
        commit=commit,
        licence=_licence(card, tags),
        licence_url=_address(card.get("license_link")),
        gated=answer.get("gated") not in (None, False),
        downloads=count(answer.get("downloads")),
        likes=count(answer.get("likes")),
        updated=_time(answer.get("lastModified")),
        parameters=count(gguf.get("total")),
        architecture=text(gguf.get("architecture")),
        context=count(gguf.get("context_length")),
        base=_base(card.get("base_model")),
        tags=tags,
        files=files,
        has_card=files is None or _has_card(siblings),
    )


def tree_files(answer: object, repo: str, revision: str) -> tuple[RepositoryFile, ...]:
    """The GGUF files of one page of a repository's tree, and those of a PEFT adapter."""
    return tuple(_files(answer, "path", repo, revision)) if isinstance(answer, list) else ()


def card_text(data: bytes) -> str:
    """A model card's Markdown, without the block of data in front of it."""
    card = data.decode(errors="replace").replace("\r\n", "\n")
    return _UNSEEN_IN_CARD.sub("", _FRONT_MATTER.sub("", card, count=1)).strip()


def text(value: object, longest: int = _LONGEST_TEXT) -> str:
    """A line of plain text, without what can't be seen; empty where it is none."""
    return _UNSEEN.sub(" ", value[:longest]).strip() if isinstance(value, str) else ""


def count(value: object) -> int:
    """A number of things; 0 where it is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 <= value <= _LARGEST_NUMBER else 0


def sha256(value: object) -> str | None:
    """A checksum as the Hub writes it, perhaps in quotes; None where it is another tag."""
    return _matching(value.strip('"').lower(), _SHA256) or None if isinstance(value, str) else None


def _found(repo: str, item: dict[str, object]) -> FoundRepository:
    gguf, tags = _fields(item.get("gguf")), _tags(item.get("tags"))
    return FoundRepository(
        repo=repo,
        downloads=count(item.get("downloads")),
        likes=count(item.get("likes")),
        updated=_time(item.get("lastModified")),
        licence=_licence(_fields(item.get("cardData")), tags),
        gated=item.get("gated") not in (None, False),
        parameters=count(gguf.get("total")),
        architecture=text(gguf.get("architecture")),
        tags=tags,
    )


def _files(
    items: Iterable[object], path_field: str, repo: str, revision: str
) -> Iterable[RepositoryFile]:
    seen = set()
    for item in items:
        fields = _fields(item)
        path, linked = fields.get(path_field), _fields(fields.get("lfs"))
        if not isinstance(path, str) or path in seen:
            continue
        if not path.lower().endswith(".gguf") and path not in PEFT_NAMES:
            continue
        if fields.get("type", "file") != "file" or not is_safe_path(path):
            continue
        seen.add(path)
        if len(seen) > _MOST_FILES:
            return
        yield RepositoryFile(
            source=HubFile(repo, path, revision),
            size_bytes=count(linked.get("size")) or count(fields.get("size")) or None,
            sha256=sha256(linked.get("sha256")) or sha256(linked.get("oid")),
        )


def _has_card(siblings: object) -> bool:
    return isinstance(siblings, list) and any(
        _fields(item).get("rfilename") == "README.md" for item in siblings
    )


def _licence(card: dict[str, object], tags: Iterable[str]) -> str:
    """The Hub's id of it; what "other" stands for, where the authors say so."""
    licence = card.get("license")
    if isinstance(licence, list) and licence:
        licence = licence[0]
    known = text(licence) or next(
        (tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), ""
    )
    return (text(card.get("license_name")) or known) if known == "other" else known


def _base(value: object) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) and is_repository(value) else ""


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(filter(None, (text(tag) for tag in value[:_MOST_TAGS])))


def _address(value: object) -> str:
    """An https address, and nothing else that a click could open."""
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) < 1000 else None
    except ValueError:
        return ""
    is_web = parts is not None and parts.scheme == "https" and bool(parts.hostname)
    return value if is_web and isinstance(value, str) and value.isprintable() else ""


def _time(value: object) -> float:
    if not isinstance(value, str) or len(value) > 40:
        return 0.0
    try:
        when = datetime.fromisoformat(value)
        return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def _matching(value: object, pattern: re.Pattern[str]) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _fields(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
