"""The settings that are no numbers: chosen, switched, written, and put in order."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.options import option
from app.options.texts import parse_order
from ui.chat.inspector import Inspector
from ui.chat.option_row import OptionRow
from ui.chat.prompt_box import PromptBox
from ui.chat.rows import option_row
from ui.chat.rows.examples import EXAMPLES
from ui.chat.rows.order_list import ROW_HEIGHT, OrderList
from ui.chat.rows.text_dialog import TextDialog
from ui.kit import Button, ComboBox, FoldLine, IconButton, Switch, TextArea

ORDER = str(option("sampler_order").default)


@pytest.fixture
def make(qtbot, theme):
    def make(key: str) -> tuple[OptionRow, list[tuple[str, object]]]:
        row = option_row(theme, option(key))
        qtbot.addWidget(row)
        row.resize(268, row.sizeHint().height())
        row.show()
        seen: list[tuple[str, object]] = []
        row.changed.connect(lambda key, value: seen.append((key, value)))
        return row, seen

    return make


def words(row: OptionRow) -> str:
    return " ".join(label.text() for label in row.findChildren(QLabel) if label.isVisibleTo(row))


def button(widget, name: str):
    return next(
        each
        for kind in (Button, IconButton)
        for each in widget.findChildren(kind)
        if each.accessibleName() == name
    )


def test_a_choice_is_shown_by_its_title_and_reported_as_its_value(qtbot, make):
    row, seen = make("mirostat")
    combo = row.findChild(ComboBox)
    assert combo.currentText() == "Off"
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert seen == [("mirostat", 1)]
    row.show_value(2, 0)
    assert combo.currentText() == "Mirostat 2"
    assert len(seen) == 1


def test_a_switch_is_reported_as_a_number(qtbot, make):
    row, seen = make("lookup")
    qtbot.keyClick(row.findChild(Switch), Qt.Key.Key_Space)
    assert seen == [("lookup", 1)]
    with qtbot.waitSignal(row.reset_requested) as reset:
        qtbot.mouseClick(button(row, "Reset Copy ahead"), Qt.MouseButton.LeftButton)
    assert reset.args == ["lookup"]
    assert not row.findChild(Switch).isChecked()


def test_what_is_wrong_is_said_as_one_types_and_nothing_is_reported(qtbot, make):
    row, seen = make("rpc_servers")
    box = row.findChild(PromptBox)
    qtbot.keyClicks(box, "nowhere")
    assert "“nowhere” is no address of a machine." in words(row)
    row.findChild(PromptBox).flush()
    assert seen == []
    qtbot.keyClicks(box, ":50052")
    assert "no address" not in words(row)
    qtbot.waitUntil(lambda: seen == [("rpc_servers", "nowhere:50052")])


def test_a_text_that_is_not_sound_yet_stays_until_another_chat_is_shown(qtbot, make):
    row, _ = make("logit_bias")
    box = row.findChild(PromptBox)
    qtbot.keyClicks(box, "however")
    box.flush()
    row.show_value("", "")
    assert box.toPlainText() == "however"
    row.flush()
    assert box.toPlainText() == ""
    assert "no bias" not in words(row)


def test_the_way_back_leads_out_of_a_wrong_text(qtbot, make):
    row, _ = make("logit_bias")
    qtbot.keyClicks(row.findChild(PromptBox), "however")
    reset = button(row, "Reset Bias")
    assert reset.isVisible()
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert row.findChild(PromptBox).toPlainText() == ""
    assert not reset.isVisible()


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_an_empty_box_offers_an_example_that_is_sound(qtbot, make, key):
    row, seen = make(key)
    qtbot.mouseClick(button(row, "Begin with an example"), Qt.MouseButton.LeftButton)
    assert seen == [(key, EXAMPLES[key])]
    assert not button(row, "Begin with an example").isVisible()


def test_a_larger_window_saves_only_what_is_sound(qtbot, make):
    row, seen = make("answer_schema")
    qtbot.mouseClick(button(row, "JSON schema in a larger window"), Qt.MouseButton.LeftButton)
    dialog = row.window().findChild(TextDialog)
    box = dialog.findChild(TextArea)
    box.setPlainText('{"type":')
    assert not button(dialog, "Save").isEnabled()
    assert "The schema is not JSON." in " ".join(x.text() for x in dialog.findChildren(QLabel))
    box.setPlainText('{"type": "array"}')
    qtbot.mouseClick(button(dialog, "Save"), Qt.MouseButton.LeftButton)
    assert seen == [("answer_schema", '{"type": "array"}')]


def test_samplers_are_moved_and_switched_with_the_keys(qtbot, make):
    row, seen = make("sampler_order")
    samplers = row.findChild(OrderList)
    samplers.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(samplers, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert parse_order(str(seen[-1][1]))[:2] == ("dry", "penalties")
    qtbot.keyClick(samplers, Qt.Key.Key_Space)
    assert seen[-1][1] == ORDER.removeprefix("penalties ")
    qtbot.keyClick(samplers, Qt.Key.Key_Space)
    assert parse_order(str(seen[-1][1]))[:2] == ("dry", "penalties")


def test_samplers_are_moved_with_the_mouse(qtbot, make):
    row, seen = make("sampler_order")
    samplers = row.findChild(OrderList)
    view = samplers.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(60, ROW_HEIGHT // 2))
    for y in (ROW_HEIGHT, 2 * ROW_HEIGHT + 8):
        drag(view, QPoint(60, y))
    assert seen == []
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 2 * ROW_HEIGHT + 8))
    assert parse_order(str(seen[-1][1]))[:3] == ("dry", "top_n_sigma", "penalties")
    QTest.mouseClick(
        view, Qt.MouseButton.LeftButton, pos=QPoint(view.width() - 10, ROW_HEIGHT // 2)
    )
    assert parse_order(str(seen[-1][1]))[:2] == ("top_n_sigma", "penalties")


def drag(view, place: QPoint) -> None:
    left = Qt.MouseButton.LeftButton
    where = QPointF(place), QPointF(view.mapToGlobal(place))
    kind = QEvent.Type.MouseMove
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(view, QMouseEvent(kind, *where, none, left, keys))


def test_the_usual_order_comes_back_whole(qtbot, make):
    row, _ = make("sampler_order")
    row.show_value("temperature top_k", ORDER)
    assert row.findChild(OrderList).on == ["temperature", "top_k"]
    qtbot.mouseClick(button(row, "Reset Order"), Qt.MouseButton.LeftButton)
    assert row.findChild(OrderList).on == ORDER.split()


@pytest.fixture
def inspector(qtbot, theme):
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    inspector.resize(300, 700)
    inspector.show()
    return inspector


def shown(inspector: Inspector) -> set[str]:
    rows = inspector.findChildren(OptionRow)
    return {row.option.key for row in rows if row.isVisibleTo(inspector)}


def test_a_setting_shows_only_where_it_means_something(inspector):
    inspector.unfold(("advanced",))
    assert not {"dry_base", "mirostat_tau", "xtc_threshold"} & shown(inspector)
    inspector.show_options({"dry_multiplier": 0.8, "mirostat": 1, "xtc_probability": 0.5}, {})
    assert {"dry_base", "dry_last_n", "mirostat_tau", "xtc_threshold"} <= shown(inspector)


def test_the_format_brings_its_box(inspector):
    assert not {"answer_schema", "answer_grammar"} & shown(inspector)
    inspector.show_options({"answer_format": "grammar"}, {})
    assert "answer_grammar" in shown(inspector)
    assert "answer_schema" not in shown(inspector)


def test_a_folded_section_is_built_when_it_unfolds_and_says_how_much_it_changes(qtbot, inspector):
    def keys():
        return {row.option.key for row in inspector.findChildren(OptionRow)}

    assert not {"typical_p", "threads"} & keys()
    inspector.show_options({"typical_p": 0.5, "mirostat": 2}, {})
    line = next(x for x in inspector.findChildren(FoldLine) if x.text() == "Advanced")
    assert line.accessibleDescription() == "folded. 2 changed"
    qtbot.keyClick(line, Qt.Key.Key_Space)
    assert inspector.unfolded == ("advanced",)
    row = next(x for x in inspector.findChildren(OptionRow) if x.option.key == "typical_p")
    assert row.value == 0.5
    assert row.isVisible()


def test_no_row_is_ever_a_window_of_its_own(qtbot, inspector):
    seen = set(QApplication.topLevelWidgets())
    inspector.unfold(("advanced", "engine"))
    inspector.show_options({"answer_format": "json_schema", "mirostat": 1}, {})
    new = set(QApplication.topLevelWidgets()) - seen
    assert not [widget for widget in new if widget.isVisible()]
