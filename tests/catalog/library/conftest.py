"""What the tests of the library share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.catalogues.bundled import load_bundled
from catalog.library import Library, Place

OpenLibrary = Callable[..., Library]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    return models


@pytest.fixture
def open_library(tmp_path: Path) -> OpenLibrary:
    """Opens the library of this test, as often as it likes, with the places of others it names."""

    def opened(*places: Place, **options: object) -> Library:
        return Library(
            tmp_path / "models",
            tmp_path / "data" / "library.json",
            options.get("catalogue", load_bundled()),  # type: ignore[arg-type]
            lambda: places,
        )

    return opened
