"""Reading a whole model file to see whether it is what it should be."""

import threading
from collections.abc import Callable

from catalog.library import InstalledModel, Library
from catalog.library.content import Verification


class Check:
    """One check of a model. It takes as long as reading its files."""

    def __init__(self, library: Library, model: InstalledModel) -> None:
        self._library = library
        self._model = model
        self._cancelled = threading.Event()

    def run(self, on_progress: Callable[[float], None]) -> Verification:
        """Blocks; `on_progress` gets the part of one that is read, on this thread.

        Raises `DownloadCancelled` after `cancel`, and `CatalogError` where a file can't be read.
        """
        shown = -1

        def tell(done: int, total: int) -> None:
            nonlocal shown
            permille = done * 1000 // total if total else 0
            if permille != shown:
                shown = permille
                on_progress(permille / 1000)

        return self._library.verify(self._model, tell, self._cancelled)

    def cancel(self) -> None:
        """End `run` soon, from any thread."""
        self._cancelled.set()
