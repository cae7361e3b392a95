"""The inspector: every option shown, changed, reset and explained; what the model says of itself."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea

from app.models import OfferedModel
from app.options import CHAT_OPTIONS, option
from backends.protocol import SessionInfo
from tests.ui.tab_order import names, tab_stops
from ui.chat.adapters.offers import AdapterOffer
from ui.chat.inspector import Inspector
from ui.chat.model_facts import ModelFacts
from ui.chat.option_help import HelpLine
from ui.chat.option_row import OptionRow
from ui.chat.preset_button import PresetButton
from ui.chat.prompt_box import PromptBox
from ui.kit import Button, ComboBox, FoldLine, IconButton, NumberField, Slider, Switch

INFO = SessionInfo(
    model="tiny",
    n_ctx=4096,
    n_ctx_train=8192,
    n_threads=7,
    memory_bytes=260_000_000,
    template="ChatML, from the file",
)


@pytest.fixture
def inspector(qtbot, theme):
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    inspector.resize(300, 700)
    inspector.unfold(("advanced", "engine"))
    inspector.show()
    return inspector


@pytest.fixture
def changes(inspector) -> list[tuple[str, object]]:
    seen: list[tuple[str, object]] = []
    inspector.option_changed.connect(lambda key, value: seen.append((key, value)))
    return seen


def row_of(inspector: Inspector, key: str) -> OptionRow:
    return next(row for row in inspector.findChildren(OptionRow) if row.option.key == key)


def reset_of(row: OptionRow) -> IconButton:
    return row.findChild(IconButton)


def words(widget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]


def set_number(qtbot, row: OptionRow, text: str) -> None:
    field = row.findChild(NumberField)
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_every_declared_option_has_a_control_with_a_name(inspector):
    keys = {row.option.key for row in inspector.findChildren(OptionRow)}
    # The prompt and the adapters have sections of their own. A template belongs to a model, so its
    # profile has it.
    apart = {"system_prompt", "adapters", "chat_template"}
    assert keys | apart == {opt.key for opt in CHAT_OPTIONS}
    for kind in (NumberField, Slider, IconButton, Button, PromptBox, ComboBox, Switch):
        for control in inspector.findChildren(kind):
            assert control.accessibleName()


def test_values_are_shown_and_not_reported(inspector, changes):
    inspector.show_options({"temperature": 0.25, "seed": 7, "system_prompt": "Be brief."}, {})
    assert row_of(inspector, "temperature").findChild(NumberField).value() == 0.25
    assert row_of(inspector, "temperature").findChild(Slider).number == pytest.approx(0.25)
    assert row_of(inspector, "seed").findChild(NumberField).text() == "7"
    assert inspector.findChild(PromptBox).toPlainText() == "Be brief."
    assert changes == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("seed", "Random"),
        ("max_tokens", "No limit"),
        ("answer_reserve", "A quarter, up to 2,048"),
        ("n_ctx", "As trained, up to 8,192"),
        ("threads", "All cores but one"),
        ("gpu_layers", "As many as fit"),
    ],
)
def test_a_neutral_value_is_told_in_words_that_fit(inspector, key, text):
    field = row_of(inspector, key).findChild(NumberField)
    assert field.text() == text
    room = field.lineEdit().width()
    assert field.fontMetrics().horizontalAdvance(text) <= room


def test_a_typed_number_is_reported_once_and_in_its_kind(qtbot, inspector, changes):
    set_number(qtbot, row_of(inspector, "max_tokens"), "512")
    set_number(qtbot, row_of(inspector, "top_p"), "0.9")
    assert changes == [("max_tokens", 512), ("top_p", 0.9)]
    assert isinstance(changes[0][1], int)


def test_typing_replaces_the_words_of_a_neutral_value(qtbot, inspector, changes):
    field = row_of(inspector, "seed").findChild(NumberField)
    inspector.activateWindow()
    qtbot.mouseClick(field.lineEdit(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: field.lineEdit().selectedText() == "Random")
    qtbot.keyClicks(field, "42")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert changes == [("seed", 42)]


def test_what_is_out_of_range_can_not_be_entered(qtbot, inspector, changes):
    set_number(qtbot, row_of(inspector, "temperature"), "9")
    assert changes == []
    assert row_of(inspector, "temperature").findChild(NumberField).value() <= 2


def test_the_slider_moves_the_number(qtbot, inspector, changes):
    row = row_of(inspector, "temperature")
    qtbot.keyClick(row.findChild(Slider), Qt.Key.Key_Right)
    assert changes == [("temperature", 0.75)]
    assert row.findChild(NumberField).value() == 0.75


def test_the_way_back_shows_only_where_there_is_one(qtbot, inspector):
    row = row_of(inspector, "top_k")
    assert not reset_of(row).isVisible()
    inspector.show_options({"top_k": 10}, {"top_k": 20})
    assert reset_of(row).isVisible()
    with qtbot.waitSignal(inspector.option_reset) as reset:
        qtbot.mouseClick(reset_of(row), Qt.MouseButton.LeftButton)
    assert reset.args == ["top_k"]
    assert row.value == 20
    assert not reset_of(row).isVisible()


def test_the_slider_marks_the_default_in_force(inspector):
    slider = row_of(inspector, "temperature").findChild(Slider)
    inspector.show_options({"temperature": 1.0}, {"temperature": 1.5})
    marked = slider.grab().toImage()
    inspector.show_options({"temperature": 1.0}, {"temperature": 0.5})
    assert slider.grab().toImage() != marked


def test_nothing_moves_when_the_way_back_comes(inspector):
    row = row_of(inspector, "temperature")
    before = row.findChild(Slider).geometry(), row.findChild(NumberField).geometry()
    inspector.show_options({"temperature": 1.5}, {})
    QApplication.processEvents()
    assert (row.findChild(Slider).geometry(), row.findChild(NumberField).geometry()) == before


def test_the_system_prompt_is_reported_after_a_pause_and_reset(qtbot, inspector, changes):
    box = inspector.findChild(PromptBox)
    qtbot.keyClicks(box, "Be kind.")
    assert changes == []
    qtbot.waitUntil(lambda: changes == [("system_prompt", "Be kind.")])
    reset = next(
        button
        for button in inspector.findChildren(IconButton)
        if button.accessibleName() == "Reset the system prompt"
    )
    with qtbot.waitSignal(inspector.option_reset) as asked:
        qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert asked.args == ["system_prompt"]
    assert box.toPlainText() == ""
    assert not reset.isVisible()


def test_what_waits_for_a_pause_is_flushed(qtbot, inspector, changes):
    qtbot.keyClicks(inspector.findChild(PromptBox), "Hi")
    inspector.flush()
    inspector.flush()
    assert changes == [("system_prompt", "Hi")]


def test_a_prompt_in_the_making_is_not_overwritten(qtbot, inspector):
    box = inspector.findChild(PromptBox)
    qtbot.keyClicks(box, "Half")
    inspector.show_options({"system_prompt": "Old"}, {})
    assert box.toPlainText() == "Half"


def test_help_default_and_reload_are_told_for_what_has_the_focus(inspector):
    line = inspector.findChild(HelpLine)
    height = line.height()
    row = row_of(inspector, "n_ctx")
    inspector.activateWindow()
    row.findChild(NumberField).setFocus(Qt.FocusReason.TabFocusReason)
    (text,) = words(line)
    assert option("n_ctx").help in text
    assert "Default: As trained, up to 8,192." in text
    assert "loads again at the next message" in text
    row_of(inspector, "temperature").findChild(Slider).setFocus(Qt.FocusReason.TabFocusReason)
    (text,) = words(line)
    assert "Default: 0.70." in text
    assert "loads again" not in text
    assert line.height() == height


def test_every_help_fits_in_its_place(inspector):
    line = inspector.findChild(HelpLine)
    for opt in (row.option for row in inspector.findChildren(OptionRow)):
        line.show_option(opt, opt.default)
        label = line.findChild(QLabel)
        assert label.heightForWidth(label.width()) <= line.height() - 16, opt.key


def test_the_wheel_over_a_control_scrolls_the_panel_and_changes_nothing(inspector, changes):
    inspector.resize(300, 420)
    QApplication.processEvents()
    area = inspector.findChild(QScrollArea)
    bar = area.verticalScrollBar()
    assert bar.maximum() > 0
    for control in (
        row_of(inspector, "temperature").findChild(Slider),
        row_of(inspector, "temperature").findChild(NumberField).lineEdit(),
        row_of(inspector, "answer_format").findChild(ComboBox),
    ):
        area.ensureWidgetVisible(control)
        control.setFocus()
        before = bar.value()
        place = control.mapTo(inspector, control.rect().center())
        QTest.wheelEvent(inspector.windowHandle(), QPointF(place), QPoint(0, -120))
        assert bar.value() > before
    assert changes == []


def test_the_model_tells_what_it_runs_on(inspector):
    facts = inspector.findChild(ModelFacts)
    assert "Device, memory and context show here once the model is loaded." in words(facts)
    inspector.show_session(INFO)
    shown = words(facts)
    for text in ("CPU, 7 threads", "260 MB", "4,096 tokens", "ChatML, from the file"):
        assert text in shown


def test_nothing_below_jumps_when_the_model_is_there(inspector):
    facts = inspector.findChild(ModelFacts)
    before = facts.sizeHint().height()
    inspector.show_session(INFO)
    assert facts.sizeHint().height() == before


def test_one_thread_is_not_a_plural(inspector):
    inspector.show_session(SessionInfo(model="tiny", n_threads=1))
    assert "CPU, 1 thread" in words(inspector.findChild(ModelFacts))


def test_warnings_of_the_model_are_shown(inspector):
    inspector.show_session(SessionInfo(model="tiny", warnings=("It runs in safe mode.",)))
    assert "It runs in safe mode." in words(inspector.findChild(ModelFacts))


def test_a_context_longer_than_the_model_has_learned_is_said(inspector):
    inspector.show_session(INFO)
    row = row_of(inspector, "n_ctx")
    assert not any("8,192 tokens" in text for text in words(row))
    inspector.show_options({"n_ctx": 16_384}, {})
    assert any("8,192 tokens" in text for text in words(row))


def test_settings_can_be_made_those_of_new_chats_once_they_differ(qtbot, inspector):
    menu = inspector.findChild(PresetButton).menu
    adopt = next(a for a in menu.actions() if a.text() == "Use these settings for new chats")
    assert not adopt.isEnabled()
    inspector.show_options({"adapters": '[{"adapter":"terse"}]'}, {})
    assert not adopt.isEnabled()
    inspector.show_options({"temperature": 0.1}, {})
    with qtbot.waitSignal(inspector.defaults_requested):
        adopt.trigger()


def test_tab_follows_the_eye(inspector):
    inspector.adapters.show_offers([AdapterOffer("terse", "terse", 1), AdapterOffer("b", "b", 1)])
    inspector.show_options({"temperature": 0.1, "seed": 5, "system_prompt": "Hi."}, {})
    QApplication.processEvents()
    stops = [stop for stop in tab_stops(inspector) if stop.focusProxy() is None]
    places = [(line_of(stop, inspector), stop.mapTo(inspector, QPoint()).x()) for stop in stops]
    assert places == sorted(places), names(stops)
    assert names(stops)[:7] == [
        *("Preset: Custom", "Reset the system prompt", "System prompt", "Add adapter"),
        *("Temperature", "Reset Temperature", "Temperature"),
    ]


def line_of(control, inspector: Inspector) -> int:
    return control.mapTo(inspector, control.rect().center()).y() // 8


def test_unfolding_explains_nothing_that_the_pointer_is_not_at(qtbot, theme):
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    inspector.resize(300, 800)
    QCursor.setPos(0, 0)
    inspector.show()
    line = inspector.findChildren(FoldLine)[0]
    window = inspector.windowHandle()
    QCursor.setPos(line.mapToGlobal(line.rect().center()))
    QTest.qWait(50)
    QTest.mouseMove(window, line.mapTo(inspector, line.rect().center()))
    QTest.mouseClick(
        window, Qt.MouseButton.LeftButton, pos=line.mapTo(inspector, line.rect().center())
    )
    assert line.isChecked()
    QApplication.processEvents()
    assert words(inspector.findChild(HelpLine)) == [
        "They apply to this chat. Point at one to see what it does."
    ]


def test_what_a_service_does_not_take_is_not_shown(inspector):
    silent = frozenset(
        {"top_k", "adapters", "n_ctx"}
        | {option.key for option in CHAT_OPTIONS if option.section in ("engine", "format")}
    )
    inspector.show_options({"top_k": 3}, {}, silent)
    shown = words(inspector)
    assert "Temperature" in shown
    assert "Longest answer" in shown
    for title in ("Top-k", "Adapters", "Context length", "Answer format", "Format"):
        assert title not in shown
    inspector.show_options({}, {})
    assert {"Top-k", "Adapters", "Context length", "Answer format"} <= set(words(inspector))


def test_of_a_service_it_says_who_answers_in_place_of_device_and_memory(inspector):
    model = OfferedModel(
        id="openai:gpt",
        name="gpt",
        backend="connection openai",
        model="gpt",
        source="OpenAI",
        leaves=True,
        context_length=128_000,
    )
    inspector.show_session(INFO)
    inspector.show_model(model)
    shown = words(inspector)
    assert {"Answers", "OpenAI", "128,000 tokens"} <= set(shown)
    assert "Each message is sent there with the whole chat before it." in shown
    assert "Runs on" not in shown
    inspector.show_model(None)
    assert "Runs on" in words(inspector)
    assert "Answers" not in words(inspector)
