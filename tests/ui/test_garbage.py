import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from ui.garbage import GarbageCollector


@pytest.fixture(autouse=True)
def collection_as_before() -> Iterator[None]:
    yield
    gc.enable()


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_automatic_collection_is_off_and_the_timer_collects(qtbot: QtBot) -> None:
    owner = QObject()
    collector = GarbageCollector(owner)
    assert not gc.isenabled()
    gc.collect()
    for _ in range(gc.get_threshold()[0] + 100):
        Cycle()
    before = gc.get_count()[0]
    collector._collect()
    assert gc.get_count()[0] < before
    owner.deleteLater()
