from ui.kit import Chip
from ui.kit.flow import Flow


def test_what_does_not_fit_goes_on_below(qtbot, theme):
    chips = [Chip(theme, words) for words in ("Reasoning", "Calls tools", "Sees pictures")]
    flow = Flow(chips)
    qtbot.addWidget(flow)
    flow.resize(1000, 40)
    flow.show()
    assert [chip.y() for chip in chips] == [0, 0, 0]
    assert flow.heightForWidth(1000) == 20
    narrow = chips[0].width() + chips[1].width() + 6
    flow.resize(narrow, 60)
    assert [chip.y() for chip in chips] == [0, 0, 26]
    assert flow.heightForWidth(narrow) == 46


def test_a_widget_that_is_too_wide_is_cut_rather_than_push(qtbot, theme):
    chip = Chip(theme, "x" * 200)
    flow = Flow([chip])
    qtbot.addWidget(flow)
    flow.resize(100, 20)
    flow.show()
    assert chip.width() == 100
