"""The content of model files: its SHA-256, and whether it is what it should be."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from catalog.errors import BadModelFile, CatalogError, DownloadCancelled
from catalog.gguf.files import check_gguf_file

_CHUNK = 4 << 20

Against = Literal["catalogue", "download", "place", "earlier", "structure"]

_CHECKSUMS: dict[Against, str] = {
    "catalogue": "the checksum that the catalogue publishes",
    "download": "the checksum that was recorded on first download",
    "place": "the checksum that it is filed under",
    "earlier": "the checksum that was computed here earlier",
}


class Expected(msgspec.Struct, frozen=True):
    """What a file's SHA-256 should be, and who says so; empty where nobody does."""

    sha256: str = ""
    against: Against = "structure"


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a model's files are what they should be, as far as anybody can say.

    `against` is what the first file was held against: a checksum of the catalogue's, one recorded on
    first download, the name under which its place keeps it, one computed earlier, or, where there is
    none of them, only the structure of the file. `message` says it all in a sentence or two.
    `sha256` is of the first file, empty where it can't be used.
    """

    sound: bool
    against: Against
    message: str
    sha256: str = ""
    expected: str = ""


def sha256_of(path: Path, on_bytes: Callable[[int], None], cancelled: threading.Event) -> str:
    """Read a whole file; `on_bytes` is told of each piece. Raises `CatalogError`, `DownloadCancelled`."""
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    try:
        with path.open("rb", buffering=0) as file:
            while n_read := file.readinto(buffer):
                if cancelled.is_set():
                    raise DownloadCancelled("The check was cancelled.")
                digest.update(view[:n_read])
                on_bytes(n_read)
    except OSError as error:
        raise CatalogError(
            f"“{path.name}” can't be read.",
            f"{error.strerror}.",
            "Check whether the disk is connected.",
        ) from error
    return digest.hexdigest()


def digests_of(
    parts: Sequence[Path], on_progress: Callable[[int, int], None], cancelled: threading.Event
) -> tuple[str, ...]:
    """The SHA-256 of each; `on_progress` is told bytes read, of all. Raises as `sha256_of` does."""
    done, total = 0, sum(part.stat().st_size for part in parts if part.exists())

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, total)

    return tuple(sha256_of(part, on_bytes, cancelled) for part in parts)


def verified(
    parts: Sequence[Path],
    expected: Sequence[Expected],
    on_progress: Callable[[int, int], None],
    cancelled: threading.Event,
) -> tuple[Verification, tuple[str, ...]]:
    """Check the structure of a model, then the content of its parts, each against what is expected.

    Returns the outcome and the SHA-256 of each part. Raises `DownloadCancelled`, and `CatalogError`
    where a file can't be read.
    """
    name, first = parts[0].name, expected[0]
    try:
        check_gguf_file(parts[0])
    except BadModelFile as error:
        return Verification(sound=False, against="structure", message=str(error)), ()
    digests = digests_of(parts, on_progress, cancelled)
    for part, digest, wanted in zip(parts, digests, expected, strict=True):
        if wanted.sha256 and digest != wanted.sha256:
            message = (
                f"“{part.name}” is not what it should be: it does not have "
                f"{_CHECKSUMS[wanted.against]}. Get it again."
            )
            return (
                Verification(
                    sound=False,
                    against=wanted.against,
                    message=message,
                    sha256=digests[0],
                    expected=wanted.sha256,
                ),
                digests,
            )
    if first.sha256:
        message = f"“{name}” is as it should be: it has {_CHECKSUMS[first.against]}."
    else:
        message = (
            f"“{name}” is whole as far as its structure tells. Nobody has published a checksum for it; "
            "the one computed now is kept to compare with."
        )
    return (
        Verification(
            sound=True,
            against=first.against,
            message=message,
            sha256=digests[0],
            expected=first.sha256,
        ),
        digests,
    )
