"""What is recorded of files' content, by downloads and by checks, and what it should be."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from catalog.errors import CatalogError
from catalog.library.content import Expected
from catalog.library.facts import state_of
from catalog.library.installed import InstalledModel
from catalog.library.recognition import Recognition
from catalog.library.registry import Content, Registry


def record_download(registry: Registry, path: Path, entry_id: str, sha256: str) -> None:
    """Replaces whatever was known of the file. Raises `CatalogError` where it can't be kept."""
    _record(
        registry, {path: Content(stamp="", sha256=sha256, origin="download", entry_id=entry_id)}
    )


def record_computed(registry: Registry, parts: Sequence[Path], digests: Sequence[str]) -> None:
    """Keep what was computed, but nothing over what a download recorded: that is the yardstick."""
    contents = {
        part: Content(stamp="", sha256=digest) for part, digest in zip(parts, digests, strict=True)
    }
    with contextlib.suppress(CatalogError):  # a full disk does not make the checksum wrong
        _record(registry, contents)


def expected_of(
    model: InstalledModel, part: Path, contents: Mapping[str, Content], recognition: Recognition
) -> Expected:
    """The checksum that a part of the model should have: the catalogue's word counts most."""
    first = part == model.path
    if first and model.entry:
        recognized = recognition.of(
            part.name, model.size_bytes, sha256=model.sha256, entry_id=model.entry.id
        )
        if recognized and recognized.artifact and recognized.artifact.sha256:
            return Expected(recognized.artifact.sha256, "catalogue")
    content = contents.get(str(part))
    if content and content.sha256:
        return Expected(content.sha256, "download" if content.origin == "download" else "earlier")
    if first and model.sha256:
        return Expected(model.sha256, "place")
    return Expected()


def _record(registry: Registry, contents: Mapping[Path, Content]) -> None:
    with registry.changing() as known:
        for path, content in contents.items():
            state = state_of(str(path), 1)
            before = known.contents.get(str(path))
            if state is None:
                continue
            if before and before.origin == "download" and content.origin == "computed":
                if before.sha256 != content.sha256:
                    continue
                content = before
            known.contents[str(path)] = msgspec.structs.replace(content, stamp=state.stamp)
