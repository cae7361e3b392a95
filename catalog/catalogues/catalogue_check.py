"""What a person who writes a catalogue wants to know before they publish it."""

import difflib
from collections.abc import Iterator
from typing import Any

import msgspec

from catalog.catalogues.catalogue_file import decode_catalogue
from catalog.catalogues.entries import (
    Artifact,
    Catalogue,
    Collection,
    Entry,
    HubFile,
    Licence,
    Package,
    Url,
)
from catalog.catalogues.sizes import expected_bytes
from catalog.errors import CatalogError

RESERVED_ID = "causeway"
"""The id of the bundled catalogue, which no other may have."""

CAPABILITIES = {
    "tools": "calls tools",
    "reasoning": "thinks before it answers",
    "vision": "sees pictures",
    "audio": "hears speech and sounds",
    "code": "made for code",
    "moe": "a mixture of experts, of which a few work at a time",
}
"""The capabilities that the program knows, each with what it means."""

SAMPLING_KEYS = (
    "temperature",
    "dynamic_range",
    "dynamic_exponent",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "top_n_sigma",
    "xtc_probability",
    "xtc_threshold",
    "repeat_penalty",
    "repeat_last_n",
    "frequency_penalty",
    "presence_penalty",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_last_n",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
)

_SOURCES: dict[str, type[msgspec.Struct]] = {"hub": HubFile, "url": Url, "package": Package}


class CatalogueCheck(msgspec.Struct, frozen=True):
    """What is wrong with a catalogue (`problems`) and what could be better (`warnings`).

    `catalogue` is what would be shown; None where nothing would.
    """

    catalogue: Catalogue | None
    problems: tuple[CatalogError, ...]
    warnings: tuple[str, ...]


def check_catalogue(data: bytes, title: str) -> CatalogueCheck:
    """Check a catalogue file; `title` names it in problems. Raises nothing."""
    try:
        decoded = decode_catalogue(data, title)
    except CatalogError as error:
        return CatalogueCheck(None, (error,), ())
    catalogue = decoded.catalogue
    try:
        warnings = [*_unknown_fields(msgspec.json.decode(data))]
    except (ValueError, RecursionError) as error:  # of a field that is not read
        warnings = [f"It could not be looked through for unknown fields. {error}."]
    if catalogue.id == RESERVED_ID:
        warnings.append(
            f"The id “{RESERVED_ID}” is the bundled catalogue's: no other can be added."
        )
    used = {entry.template for entry in catalogue.entries}
    warnings += [
        f"No entry uses the template “{name}”." for name in catalogue.templates if name not in used
    ]
    for entry in catalogue.entries:
        warnings += [f"Entry “{entry.id}”: {said}" for said in _shortcomings(entry)]
    return CatalogueCheck(catalogue, decoded.problems, tuple(warnings))


def _shortcomings(entry: Entry) -> Iterator[str]:
    for capability in entry.capabilities:
        if capability not in CAPABILITIES:
            yield f"the capability “{capability}” is not one of {', '.join(CAPABILITIES)}."
    for key in entry.sampling:
        if key not in SAMPLING_KEYS:
            yield f"“{key}” under sampling is not one of {', '.join(SAMPLING_KEYS)}."
    if not entry.licence.url:
        yield "its licence has no address where it can be read."
    if "vision" in entry.capabilities and entry.projector is None:
        yield "it says that it sees pictures, but lists no projector."
    for artifact in entry.artifacts:
        name = artifact.file_name
        if artifact.sha256 is None:
            yield f"“{name}” has no sha256, so nobody can tell whether it arrives unchanged."
        if not expected_bytes(entry, artifact)[0]:
            yield f"nobody can tell how large “{name}” is."


def _unknown_fields(data: Any) -> Iterator[str]:
    yield from _unknown(data, Catalogue, "the catalogue", ignored=("$schema",))
    for collection in _items(data, "collections"):
        yield from _unknown(collection, Collection, _called("collection", collection))
    for entry in _items(data, "entries"):
        title = _called("entry", entry)
        yield from _unknown(entry, Entry, title)
        yield from _unknown(entry.get("licence"), Licence, f"{title}, licence")
        for artifact in _items(entry, "artifacts"):
            yield from _unknown(artifact, Artifact, f"{title}, artifact")
            for source in _items(artifact, "sources"):
                kind = _SOURCES.get(str(source.get("type")))
                if kind:
                    yield from _unknown(source, kind, f"{title}, source", ignored=("type",))


def _unknown(
    data: Any, kind: type[msgspec.Struct], title: str, ignored: tuple[str, ...] = ()
) -> Iterator[str]:
    if not isinstance(data, dict):
        return
    fields = kind.__struct_fields__
    for name in data:
        if name not in fields and name not in ignored:
            close = difflib.get_close_matches(name, fields, n=1)
            hint = f" Is “{close[0]}” meant?" if close else ""
            yield f"The field {name[:100]!r} of {title} is not known, and ignored.{hint}"


def _items(data: Any, name: str) -> list[dict[str, Any]]:
    items = data.get(name) if isinstance(data, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _called(kind: str, data: dict[str, Any]) -> str:
    return f"{kind} {str(data.get('id', '?'))[:100]!r}"
