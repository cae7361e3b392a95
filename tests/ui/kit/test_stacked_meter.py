import pytest

from ui.kit.stacked_meter import Legend, StackedMeter


def test_each_part_has_its_colour_and_its_share(qtbot, theme):
    meter = StackedMeter(theme, "Memory")
    qtbot.addWidget(meter)
    meter.resize(100, 6)
    meter.show_parts((0.5, 0.2, 0.1))
    image = meter.grab().toImage()
    ratio = image.width() / 100
    for place, role in ((25, "accent"), (60, "meter2"), (75, "meter3"), (90, "track")):
        assert image.pixelColor(round(place * ratio), round(3 * ratio)) == theme.color(role)


def test_the_first_part_can_warn(qtbot, theme):
    meter = StackedMeter(theme, "Memory")
    qtbot.addWidget(meter)
    meter.resize(100, 6)
    meter.show_parts((1.0, 0, 0), "danger")
    image = meter.grab().toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2) == theme.color("danger")


@pytest.mark.parametrize(("width", "lines"), [(1000, 1), (120, 3)])
def test_words_that_do_not_fit_go_below(qtbot, theme, width, lines):
    legend = Legend(theme)
    qtbot.addWidget(legend)
    legend.show_words(("Weights 4.7", "8k context 0.5", "Working 0.3"))
    assert legend.heightForWidth(width) == lines * theme.line_height("small")
    assert legend.accessibleName() == "Weights 4.7, 8k context 0.5, Working 0.3"
