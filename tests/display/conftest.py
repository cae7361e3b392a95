"""A display for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.display.desk import Desk
from tests.display.screen import Screen


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    folder = tmp_path / "screen"
    folder.mkdir()
    with Screen(folder) as screen:
        yield screen


@pytest.fixture
def desk(screen: Screen, tmp_path: Path) -> Desk:
    return Desk(screen, tmp_path / "home")
