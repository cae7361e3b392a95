"""A display for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.display.screen import Screen


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    folder = tmp_path / "screen"
    folder.mkdir()
    with Screen(folder) as screen:
        yield screen
