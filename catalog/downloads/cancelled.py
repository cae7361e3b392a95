"""Deleting what a download brought here, once it is cancelled."""

import contextlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from catalog.downloads.fetch import discard_partial
from catalog.downloads.queue_file import QueuedDownload
from catalog.errors import CatalogError


def discard(download: QueuedDownload, others: Iterable[QueuedDownload], folder: Path) -> None:
    """Delete its partial files, and the whole ones that it fetched itself.

    Files that another download has, or is to have, stay. Raises `OSError` where a file can't be
    deleted.
    """
    shared = {file.target for other in others for file in other.request.files}
    for file in download.request.files:
        if file.target in shared:
            continue
        try:
            discard_partial(file, folder)
        except CatalogError:  # it can't be kept there, so nothing was
            continue
        if file.target in download.fetched:
            (folder / file.target).unlink(missing_ok=True)
        _remove_empty_folders(file.target, folder)


def _remove_empty_folders(target: str, folder: Path) -> None:
    with contextlib.suppress(OSError):  # there is something else in it
        for parent in list(PurePosixPath(target).parents)[:-1]:
            (folder / parent).rmdir()
