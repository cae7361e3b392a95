"""Getting a model of the catalogue onto this computer."""

import threading
from collections.abc import Callable
from pathlib import Path

from app.errors import AppError
from app.paths import Paths
from app.services import models_folder
from app.settings import Settings
from catalog.downloads import fetch as downloads
from catalog.downloads.fetch import DownloadProgress
from catalog.entries import Artifact, Entry


class Installation:
    """One download into the models folder, which goes on where an earlier one stopped."""

    def __init__(self, entry: Entry, paths: Paths, settings: Settings) -> None:
        self._artifact = weights(entry)
        self._folder = models_folder(paths, settings)
        self._index_url = downloads.resolve_index_url(settings.package_index)
        self._cancelled = threading.Event()

    def run(self, on_progress: Callable[[DownloadProgress], None]) -> Path:
        """Fetch the file and return its path. Blocks; `on_progress` is called on this thread.

        Raises `DownloadError` and `DownloadCancelled`.
        """
        return downloads.fetch(
            self._artifact,
            self._folder,
            index_url=self._index_url,
            on_progress=on_progress,
            cancelled=self._cancelled,
        )

    def cancel(self) -> None:
        """End `run` soon, from any thread. What was fetched stays."""
        self._cancelled.set()


def weights(entry: Entry) -> Artifact:
    """The file of an entry that is fetched; an error in words where it has none."""
    for artifact in entry.artifacts:
        if artifact.role == "weights":
            return artifact
    raise AppError(f"The catalogue has no file for {entry.name}.")


def fetched_bytes(entry: Entry, paths: Paths, settings: Settings) -> int:
    """Bytes of an interrupted download that wait to be gone on with."""
    return downloads.fetched_bytes(weights(entry), models_folder(paths, settings))
