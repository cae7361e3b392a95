from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from catalog.errors import BadModelFile
from catalog.fit.fit import Fit, MemoryEstimate
from catalog.library import InstalledModel
from tests.ui.models.installed import model
from ui.background import Background
from ui.known_fits import KnownFits

PLOVER = model("Plover")
TORN = model("Torn")


class Reckoner:
    """Counts how often it is asked; of one model the file is damaged."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = 10

    def __call__(self, model: InstalledModel) -> Fit:
        self.asked.append(model.name)
        if model.name == "Torn":
            raise BadModelFile("It is cut off.")
        return Fit(verdict="fits", parts=MemoryEstimate(1, 1, 1), free=self.free, n_ctx=8192)


@pytest.fixture
def reckoner() -> Reckoner:
    return Reckoner()


@pytest.fixture
def fits(qapp: QApplication, reckoner: Reckoner) -> Iterator[KnownFits]:
    background = Background()
    yield KnownFits(background, reckoner)
    assert background.finish(60_000)


def test_what_is_asked_for_is_computed_once_and_told(
    fits: KnownFits, reckoner: Reckoner, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(fits.changed):
        assert fits.of(PLOVER) is None
        assert fits.of(PLOVER) is None
    assert fits.of(PLOVER).verdict == "fits"
    assert reckoner.asked == ["Plover"]


def test_a_damaged_file_is_not_asked_for_again(
    fits: KnownFits, reckoner: Reckoner, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(fits.changed):
        fits.of(TORN)
    assert fits.of(TORN) is None
    QApplication.processEvents()
    assert reckoner.asked == ["Torn"]


def test_what_is_forgotten_is_shown_until_it_is_known_anew(
    fits: KnownFits, reckoner: Reckoner, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(fits.changed):
        fits.of(PLOVER)
    reckoner.free = 3
    fits.forget()
    with qtbot.waitSignal(fits.changed):
        assert fits.of(PLOVER).free == 10
    assert fits.of(PLOVER).free == 3


def test_an_adapter_has_no_fit_of_its_own(fits: KnownFits, reckoner: Reckoner) -> None:
    assert fits.of(model("Terse", kind="adapter")) is None
    QApplication.processEvents()
    assert reckoner.asked == []
