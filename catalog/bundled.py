"""The catalogue that comes with the program, and the checks that every catalogue must pass."""

import re
from collections import Counter
from importlib.resources import files

import msgspec

from catalog.entries import Artifact, Catalogue, Entry
from catalog.errors import CatalogError

SCHEMA_VERSION = 1

STARTER_ID = "smollm2-135m-instruct"
"""The id of the model that a first start offers."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[\w][\w.+ -]*\.gguf", re.IGNORECASE)


class _Envelope(msgspec.Struct, frozen=True):
    """A catalogue whose entries are not decoded yet, so that an error can name the bad one."""

    schema_version: int
    id: str = ""
    revision: int = 0
    published: str = ""
    entries: list[msgspec.Raw] = []


class _Label(msgspec.Struct, frozen=True):
    id: str = ""


def load_bundled() -> Catalogue:
    data = files("resources").joinpath("catalog.json").read_bytes()
    return decode_catalogue(data, "The bundled catalogue")


def decode_catalogue(data: bytes, title: str) -> Catalogue:
    """Decode and check a catalogue file; fields that this version does not know are ignored.

    `title` names it in errors. Raises `CatalogError`, which names the entry that is wrong.
    """
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except msgspec.DecodeError as error:
        raise CatalogError(f"{title} can't be read.", f"{error}.") from None
    if envelope.schema_version != SCHEMA_VERSION:
        raise CatalogError(
            f"{title} is of version {envelope.schema_version}.",
            f"This version of Causeway reads version {SCHEMA_VERSION}.",
            "Update Causeway." if envelope.schema_version > SCHEMA_VERSION else "",
        )
    entries = tuple(
        _entry(raw, f"{title}, entry {number}")
        for number, raw in enumerate(envelope.entries, start=1)
    )
    twice = [entry_id for entry_id, n in Counter(entry.id for entry in entries).items() if n > 1]
    if twice:
        raise CatalogError(f"{title} has two entries “{twice[0]}”.")
    return Catalogue(
        schema_version=envelope.schema_version,
        id=envelope.id,
        revision=envelope.revision,
        published=envelope.published,
        entries=entries,
    )


def _entry(raw: msgspec.Raw, title: str) -> Entry:
    try:
        label = msgspec.json.decode(raw, type=_Label).id
        title = f"{title} (“{label}”)" if label else title
        entry = msgspec.json.decode(raw, type=Entry)
    except msgspec.DecodeError as error:
        raise CatalogError(f"{title}, is not valid.", f"{error}.") from None
    flaw = _flaw(entry) or next(filter(None, map(_artifact_flaw, entry.artifacts)), "")
    if flaw:
        raise CatalogError(f"{title}, is not valid.", flaw)
    return entry


def _flaw(entry: Entry) -> str:
    if not _ID.fullmatch(entry.id):
        return "Its id must be of lower-case letters, digits, points and dashes."
    if not entry.name.strip():
        return "It has no name."
    if not entry.artifacts and entry.status == "ready":
        return "It lists no file."
    if entry.context < 0 or entry.parameters < 0:
        return "Its context and parameters can't be below zero."
    return ""


def _artifact_flaw(artifact: Artifact) -> str:
    if not artifact.sources:
        return f"Its file of quant {artifact.quant} has no source."
    if not _FILE_NAME.fullmatch(artifact.file_name):
        return f"“{artifact.file_name}” is no name for a model file."
    if any(size is not None and size <= 0 for size in _sizes(artifact)):
        return f"The size of “{artifact.file_name}” must be above zero."
    if artifact.sha256 is not None and not _SHA256.fullmatch(artifact.sha256):
        return f"The checksum of “{artifact.file_name}” is no SHA-256 in lower case."
    return ""


def _sizes(artifact: Artifact) -> tuple[int | None, ...]:
    return artifact.size_bytes, artifact.about_bytes, artifact.download_bytes
