"""Which downloads are being worked on right now, by this process or another."""

import hashlib
import threading
from contextlib import ExitStack
from pathlib import Path

from catalog.errors import CatalogError, DownloadCancelled
from catalog.lock_file import locked


class Claims:
    """One lock file a download, beside the queue's file; the system frees those of a dead process."""

    def __init__(self, queue_file: Path) -> None:
        self._queue_file = queue_file
        self._at_once = threading.Event()
        self._at_once.set()

    def take(self, download_id: str) -> ExitStack | None:
        """Claim a download; closing the result gives it back, on any thread.

        None where somebody has it. Raises `CatalogError` where no lock file can be made.
        """
        claim = ExitStack()
        path = self._path(download_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            claim.enter_context(locked(path, self._at_once))
        except DownloadCancelled:
            return None
        except OSError as error:
            raise CatalogError(
                f"“{path.parent}” can't be written to.",
                f"{error.strerror or error}.",
                "Free some space, or check who may write there.",
            ) from error
        return claim

    def is_taken(self, download_id: str) -> bool:
        """Whether somebody has it, this process included."""
        if not self._path(download_id).exists():
            return False
        try:
            claim = self.take(download_id)
        except CatalogError:
            return False
        if claim is None:
            return True
        claim.close()
        return False

    def _path(self, download_id: str) -> Path:
        digest = hashlib.sha256(download_id.encode("utf-8", "surrogatepass")).hexdigest()
        return self._queue_file.with_name(f"{self._queue_file.name}.{digest[:16]}.lock")
