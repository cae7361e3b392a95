import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import Slider
from ui.theme import Theme


@pytest.fixture
def slider(theme: Theme, qtbot: QtBot) -> Slider:
    slider = Slider(theme, "Temperature", minimum=0, maximum=2, step=0.05)
    slider.set_default(0.7)
    slider.resize(200, 24)
    qtbot.addWidget(slider)
    slider.show()
    slider.activateWindow()
    qtbot.waitUntil(slider.isActiveWindow)
    slider.clearFocus()
    return slider


def test_it_shows_a_number_without_reporting_it(slider: Slider, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(slider.number_changed):
        slider.set_number(0.85)
    assert slider.number == 0.85


def test_arrow_keys_move_it_by_one_step(slider: Slider, qtbot: QtBot) -> None:
    slider.set_number(0.7)
    with qtbot.waitSignal(slider.number_changed) as moved:
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert moved.args == [0.75]


def test_a_click_moves_it_there(slider: Slider, qtbot: QtBot) -> None:
    with qtbot.waitSignal(slider.number_changed) as moved:
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(100, 12))
    assert moved.args == [1.0]


def test_dragging_reports_every_number_on_the_way(slider: Slider, qtbot: QtBot) -> None:
    seen: list[float] = []
    slider.number_changed.connect(seen.append)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(100, 12))
    qtbot.mouseMove(slider, QPoint(150, 12))
    qtbot.mouseMove(slider, QPoint(400, 12))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(400, 12))
    assert seen[0] == 1.0
    assert seen[-1] == 2.0
    assert not slider.isSliderDown()


@pytest.mark.parametrize(("number", "end"), [(-5, 0), (9, 2)])
def test_a_number_beyond_the_range_shows_at_the_end(
    slider: Slider, number: float, end: float
) -> None:
    slider.set_number(number)
    assert slider.number == end


def test_the_ring_lies_around_the_knob(slider: Slider, theme: Theme) -> None:
    def above_the_groove() -> set[str]:
        return colors_in(slider.grab(QRect(0, 0, 200, 9)).toImage())

    for number in (0, 1, 2):
        slider.set_number(number)
        assert theme.color("ring").name() not in above_the_groove()
        slider.setFocus(Qt.FocusReason.TabFocusReason)
        assert theme.color("ring").name() in above_the_groove()
        slider.clearFocus()


def test_the_groove_is_filled_from_its_origin(theme: Theme, qtbot: QtBot) -> None:
    slider = Slider(theme, "Strength", minimum=-2, maximum=2, step=0.05, origin=0)
    qtbot.addWidget(slider)
    slider.resize(200, 24)
    for number, filled, empty in ((1.0, 120, 80), (-1.0, 80, 120)):
        slider.set_number(number)
        picture = slider.grab().toImage()
        assert picture.pixelColor(filled, 12) == theme.color("accent")
        assert picture.pixelColor(empty, 12) == theme.color("track")


def test_one_without_effect_is_quiet_and_still_moves(theme: Theme, qtbot: QtBot) -> None:
    slider = Slider(theme, "Strength", minimum=0, maximum=2, step=0.05)
    qtbot.addWidget(slider)
    slider.resize(200, 24)
    slider.set_number(1.5)
    slider.set_quiet(True)
    assert slider.grab().toImage().pixelColor(20, 12) == theme.color("disabled")
    with qtbot.waitSignal(slider.number_changed):
        qtbot.keyClick(slider, Qt.Key.Key_Right)
