"""Fetching what is new in the catalogues that the person added."""

import threading

from catalog.catalogues.catalogues import Catalogues


class CatalogueRefresh:
    """One look at all of them, which can be ended from any thread."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._cancelled = threading.Event()

    def run(self) -> None:
        """Blocks. What fails is kept as the problem of its catalogue."""
        self._catalogues.refresh(self._cancelled)

    def cancel(self) -> None:
        """End `run` soon."""
        self._cancelled.set()
