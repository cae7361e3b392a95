"""Reading a catalogue file, from whomever it comes: what is wrong in it is named, the rest loads."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from catalog.catalogues.entries import (
    Artifact,
    Catalogue,
    Collection,
    Entry,
    HubFile,
    Package,
    Source,
    Url,
)
from catalog.errors import CatalogError
from catalog.safe_names import is_model_file_name, is_repository, is_safe_path

SCHEMA_VERSION = 1
MAX_FILE_BYTES = 16 << 20
MAX_ENTRIES = 20_000
_SHOWN = 100

# What can't be seen, or turns the direction of writing; joiners stay, since scripts and emoji need them.
_BREAKS = "\t\n\x0b\x0c\r\x85\u2028\u2029"
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
# Bytes without which JSON can hold none of the above: most entries need no second look.
_SUSPECT = re.compile(
    rb"[\\\x7f]|\xc2[\x80-\x9f\xad]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]"
    rb"|\xef\xbb\xbf|\xef\xbf[\xb9-\xbb]|\xf3\xa0[\x80-\x81]"
)
_ADDRESS = re.compile(r"https://(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(?::\d{1,5})?(?:[/?#][!-~]*)?")
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?(?:[/?#][!-~]*)?")
_REVISION = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}")

_Record = TypeVar("_Record", Entry, Collection)


class DecodedCatalogue(msgspec.Struct, frozen=True):
    """A catalogue, and one error for everything in its file that had to be left out."""

    catalogue: Catalogue
    problems: tuple[CatalogError, ...] = ()


class _Version(msgspec.Struct, frozen=True):
    schema_version: int


class _Envelope(msgspec.Struct, frozen=True):
    """A catalogue whose parts are not decoded yet, so that an error can name the bad one."""

    id: str
    revision: int = 0
    published: str = ""
    title: str = ""
    collections: list[msgspec.Raw] = []
    templates: dict[str, msgspec.Raw] = {}
    entries: list[msgspec.Raw] = []


class _Label(msgspec.Struct, frozen=True):
    id: str = ""


def decode_catalogue(data: bytes, title: str) -> DecodedCatalogue:
    """Decode and check a catalogue file. `title` names it in errors.

    Fields that this version does not know are ignored. Texts lose what can't be seen in them. Raises
    `CatalogError` for a file that can't be read as a whole, or is of another version.
    """
    if len(data) > MAX_FILE_BYTES:
        raise CatalogError(
            f"{title} is too large.", f"A catalogue has {MAX_FILE_BYTES >> 20} MB at most."
        )
    try:
        version = msgspec.json.decode(data, type=_Version).schema_version
        if version != SCHEMA_VERSION:
            raise _other_version(version, title)
        envelope = msgspec.json.decode(data, type=_Envelope)
        head = _head(envelope)
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"{title} can't be read.", _sentence(error)) from None
    if len(envelope.entries) > MAX_ENTRIES:
        raise CatalogError(f"{title} is too large.", f"It has more than {MAX_ENTRIES:,} entries.")
    problems: list[CatalogError] = []
    collections = _records(envelope.collections, Collection, f"{title}, collection", problems)
    templates = _templates(envelope.templates, title, problems)
    known = frozenset(collection.id for collection in collections)
    entries = [
        _placed(entry, known, title, problems)
        for entry in _records(envelope.entries, Entry, f"{title}, entry", problems, templates)
    ]
    catalogue = msgspec.structs.replace(
        head, collections=tuple(collections), templates=templates, entries=tuple(entries)
    )
    return DecodedCatalogue(catalogue, tuple(problems))


def is_web_address(url: str) -> bool:
    """Whether it is https, or http on this very machine, and brings no name or password."""
    return bool(_ADDRESS.fullmatch(url) or _LOOPBACK.fullmatch(url))


def _other_version(version: int, title: str) -> CatalogError:
    return CatalogError(
        f"{title} is of version {version}.",
        f"This version of Causeway reads version {SCHEMA_VERSION}.",
        "Update Causeway." if version > SCHEMA_VERSION else "",
    )


def _head(envelope: _Envelope) -> Catalogue:
    """The catalogue without its parts. Raises `ValueError`."""
    fields = {
        "schema_version": SCHEMA_VERSION,
        "id": envelope.id,
        "revision": envelope.revision,
        "published": envelope.published,
        "title": envelope.title,
        "entries": [],
    }
    return msgspec.convert(_plain(fields), Catalogue)


def _records(
    raws: Iterable[msgspec.Raw],
    kind: type[_Record],
    title: str,
    problems: list[CatalogError],
    templates: dict[str, str] | None = None,
) -> list[_Record]:
    """What is sound among the records; `title` and a number name the others."""
    decoder = msgspec.json.Decoder(kind)
    records: dict[str, _Record] = {}
    for number, raw in enumerate(raws, start=1):
        try:
            if _SUSPECT.search(raw):
                record = msgspec.convert(_plain(msgspec.json.decode(raw)), kind)
            else:
                record = decoder.decode(raw)
            flaw = _flaw(record, templates or {}) if isinstance(record, Entry) else ""
        except (ValueError, RecursionError) as error:
            flaw = _sentence(error)
        else:
            if not flaw and record.id in records:
                flaw = f"There are two “{record.id}”."
            if not flaw:
                records[record.id] = record
                continue
        problems.append(CatalogError(f"{title} {number}{_label(raw)}, is left out.", flaw))
    return list(records.values())


def _templates(
    raws: dict[str, msgspec.Raw], title: str, problems: list[CatalogError]
) -> dict[str, str]:
    templates: dict[str, str] = {}
    for name, raw in raws.items():
        try:
            whole = {"schema_version": 1, "id": "x", "revision": 0, "published": "", "entries": []}
            whole["templates"] = {name: msgspec.json.decode(raw)}
            templates |= msgspec.convert(whole, Catalogue).templates
        except (ValueError, RecursionError) as error:
            shown = _UNSEEN.sub("", name)[:_SHOWN]
            problems.append(
                CatalogError(f"{title}, template “{shown}”, is left out.", _sentence(error))
            )
    return templates


def _placed(
    entry: Entry, collections: frozenset[str], title: str, problems: list[CatalogError]
) -> Entry:
    """The entry, out of a collection that there is not."""
    if not entry.collection or entry.collection in collections:
        return entry
    problems.append(
        CatalogError(
            f"{title}, entry “{entry.id}”, is in no collection.",
            f"It names “{entry.collection}”, which the catalogue does not have.",
        )
    )
    return msgspec.structs.replace(entry, collection="")


def _flaw(entry: Entry, templates: dict[str, str]) -> str:
    if not entry.name.strip():
        return "It has no name."
    if entry.status == "ready" and not entry.weights:
        return "It lists no file."
    if entry.status != "ready" and not entry.obstacle.strip():
        return "It does not say why it can't be run."
    if entry.template and entry.template not in templates:
        return f"It names the template “{entry.template}”, which the catalogue does not have."
    for address in (entry.url, entry.licence.url):
        if address and not is_web_address(address):
            return f"“{address[:_SHOWN]}” is no https address."
    return next(filter(None, map(_artifact_flaw, entry.artifacts)), "")


def _artifact_flaw(artifact: Artifact) -> str:
    for source in artifact.sources:
        flaw = _source_flaw(source)
        if flaw:
            return flaw
        if not is_model_file_name(source.name):
            return f"“{source.name[:_SHOWN]}” is no name for a model file."
    return ""


def _source_flaw(source: Source) -> str:
    match source:
        case HubFile(repo=repo, path=path, revision=revision):
            if not is_repository(repo):
                return f"“{repo[:_SHOWN]}” is no repository, which is written OWNER/NAME."
            if not is_safe_path(path):
                return f"The path “{path[:_SHOWN]}” can't be used."
            if not _REVISION.fullmatch(revision):
                return f"“{revision}” is no branch, tag or commit."
        case Url(url=url):
            if not is_web_address(url):
                return f"“{url[:_SHOWN]}” is no https address."
        case Package(project=project, version=version, member=member):
            if not _PROJECT.fullmatch(project) or not _VERSION.fullmatch(version):
                return f"“{project}” {version} is no package."
            if not is_safe_path(member):
                return f"The path “{member[:_SHOWN]}” can't be used."
    return ""


def _plain(value: Any, kept: str = "") -> Any:
    """The value with texts that show on one line; what ends an answer keeps its line ends."""
    if isinstance(value, str):
        return _UNSEEN.sub(lambda match: _seen(match.group(), kept), value)
    if isinstance(value, list):
        return [_plain(item, kept) for item in value]
    if isinstance(value, dict):
        return {
            _plain(key): _plain(item, "\n\t" if key == "stop" else "")
            for key, item in value.items()
        }
    return value


def _seen(character: str, kept: str) -> str:
    if character in kept:
        return character
    return " " if character in _BREAKS else ""


def _label(raw: msgspec.Raw) -> str:
    try:
        label = _plain(msgspec.json.decode(raw, type=_Label).id)[:_SHOWN]
    except (ValueError, RecursionError):
        return ""
    return f" (“{label}”)" if label else ""


def _sentence(error: Exception) -> str:
    text = "It is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return f"{_UNSEEN.sub('', text)[: 5 * _SHOWN].rstrip('.')}."
