from collections.abc import Iterator
from pathlib import Path

import pytest

from app.conversations.store import ConversationStore


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.sqlite3"


class Clock:
    """Time that passes when a test says so, and a second at each look."""

    def __init__(self) -> None:
        self.now = 1_747_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database_file: Path, clock: Clock) -> Iterator[ConversationStore]:
    store = ConversationStore(database_file, clock=clock)
    yield store
    store.close()
