from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.llama_cpp.state_files import StateFiles
from backends.llama_cpp.state_format import ModelKey
from tests.backends.llama_cpp.states.saved import KEY, LIMIT, Open


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "states"


@pytest.fixture
def opened(folder: Path) -> Iterator[Open]:
    every: list[StateFiles] = []

    def open_files(
        key: ModelKey = KEY, *, limit_bytes: int = LIMIT, can_cut: bool = True
    ) -> StateFiles:
        every.append(StateFiles(folder, limit_bytes, key, can_cut=can_cut))
        return every[-1]

    yield open_files
    for each in every:
        each.close()
