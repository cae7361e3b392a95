import pytest
from PySide6.QtCore import QVariantAnimation
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import Meter
from ui.theme import Theme


@pytest.fixture
def meter(theme: Theme, qtbot: QtBot) -> Meter:
    meter = Meter(theme, "Context", warns=True)
    meter.resize(100, 4)
    qtbot.addWidget(meter)
    return meter


def filled(meter: Meter, role_color: str) -> int:
    """How many pixels of its middle line have that colour."""
    image = meter.grab().toImage()
    middle = image.height() // 2
    return sum(image.pixelColor(x, middle).name() == role_color for x in range(image.width()))


def test_it_is_filled_by_the_fraction(meter: Meter, theme: Theme) -> None:
    meter.set_fraction(0.5)
    assert abs(filled(meter, theme.color("accent").name()) - 50) <= 2


def test_it_warns_above_three_quarters(meter: Meter, theme: Theme) -> None:
    meter.set_fraction(0.75)
    assert filled(meter, theme.color("warn").name()) == 0
    meter.set_fraction(0.76)
    assert filled(meter, theme.color("warn").name()) > 70
    assert theme.color("accent").name() not in colors_in(meter.grab().toImage())


@pytest.mark.parametrize(("fraction", "shown"), [(-1.0, 0.0), (3.0, 1.0)])
def test_a_fraction_beyond_the_ends_is_an_end(meter: Meter, fraction: float, shown: float) -> None:
    meter.set_fraction(fraction)
    assert meter.fraction == shown


def test_a_screen_reader_gets_permille(meter: Meter) -> None:
    meter.set_fraction(0.1234)
    assert (meter.value(), meter.maximum()) == (123, 1000)


def test_it_glides_to_a_new_fraction(meter: Meter, theme: Theme, qtbot: QtBot) -> None:
    meter.show()
    meter.set_fraction(0.5)
    qtbot.waitUntil(lambda: abs(filled(meter, theme.color("accent").name()) - 50) <= 2)


def test_it_does_not_move_where_nobody_sees_it(meter: Meter, qtbot: QtBot) -> None:
    meter.show()
    meter.set_fraction(None)
    motion = meter.findChild(QVariantAnimation)
    assert motion.state() == QVariantAnimation.State.Running
    meter.hide()
    assert motion.state() == QVariantAnimation.State.Stopped
    meter.show()
    assert motion.state() == QVariantAnimation.State.Running
    meter.set_fraction(1.0)
    meter.hide()
    assert motion.state() == QVariantAnimation.State.Stopped


def test_nothing_moves_where_the_platform_asks_for_no_motion(
    meter: Meter, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Theme, "duration", lambda self, key: 0)
    meter.show()
    meter.set_fraction(None)
    assert meter.findChild(QVariantAnimation).state() == QVariantAnimation.State.Stopped
    meter.set_fraction(0.5)
    assert abs(filled(meter, theme.color("accent").name()) - 50) <= 2
