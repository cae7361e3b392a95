"""The composer: sending, stopping, drafts, pastes, and what its bar tells."""

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QInputMethodEvent, QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import QApplication

from app.answer_pace import Pace
from ui.chat.composer import Composer
from ui.chat.composer_field import LONGEST_PASTE, MOST_LINES, ComposerField
from ui.chat.long_lines import PIECE
from ui.chat.status import ContextMeter, ModelStatus
from ui.kit import Button, Label, Meter


@pytest.fixture
def composer(qtbot, theme):
    composer = Composer(theme)
    qtbot.addWidget(composer)
    composer.resize(640, 88)
    composer.show()
    return composer


@pytest.fixture
def field(composer) -> ComposerField:
    return composer.findChild(ComposerField)


@pytest.fixture
def button(composer) -> Button:
    return composer.findChild(Button)


def paste(field: ComposerField, text: str) -> None:
    data = QMimeData()
    data.setText(text)
    field.insertFromMimeData(data)


def test_enter_sends_and_empties_the_field(qtbot, composer, field):
    qtbot.keyClicks(field, "  Hello there ")
    told: list[str] = []
    composer.message_submitted.connect(lambda text: told.append(f"sent {text}"))
    composer.draft_changed.connect(lambda text: told.append(f"draft {text}"))
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told == ["sent Hello there", "draft "]
    assert composer.text == ""


@pytest.mark.parametrize(
    "modifier", [Qt.KeyboardModifier.KeypadModifier, Qt.KeyboardModifier.ControlModifier]
)
def test_the_enter_of_the_number_pad_and_ctrl_enter_send_too(qtbot, composer, field, modifier):
    qtbot.keyClicks(field, "Hi")
    with qtbot.waitSignal(composer.message_submitted):
        qtbot.keyClick(field, Qt.Key.Key_Enter, modifier)


def test_shift_enter_breaks_the_line(qtbot, composer, field):
    qtbot.keyClicks(field, "one")
    with qtbot.assertNotEmitted(composer.message_submitted):
        qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field, "two")
    assert composer.text == "one\ntwo"


def test_white_space_is_no_message(qtbot, composer, field, button):
    qtbot.keyClicks(field, "   ")
    assert not button.isEnabled()
    with qtbot.assertNotEmitted(composer.message_submitted):
        qtbot.keyClick(field, Qt.Key.Key_Return)


def test_enter_belongs_to_an_input_method_that_composes(qtbot, composer, field):
    qtbot.keyClicks(field, "a")
    QApplication.sendEvent(field, QInputMethodEvent("かな", []))
    with qtbot.assertNotEmitted(composer.message_submitted):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    done = QInputMethodEvent()
    done.setCommitString("仮名")
    QApplication.sendEvent(field, done)
    assert composer.text.startswith("a")
    assert composer.text.endswith("仮名")


def test_while_an_answer_is_written_the_button_and_esc_stop_it(qtbot, composer, field, button):
    composer.show_busy(True)
    assert button.text() == "Stop"
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.keyClick(field, Qt.Key.Key_Escape)
    qtbot.keyClicks(field, "next")
    with qtbot.assertNotEmitted(composer.message_submitted):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert composer.text == "next"
    assert "still being written" in composer.findChild(ModelStatus).text()
    composer.show_busy(False)
    assert composer.findChild(ModelStatus).text() == ""


def test_the_focus_goes_to_the_field_when_the_button_has_nothing_to_do(composer, field, button):
    composer.show_busy(True)
    button.setFocus()
    composer.show_busy(False)
    assert not button.isEnabled()
    assert QApplication.focusWidget() is field


def test_esc_at_rest_does_nothing(qtbot, composer, field):
    with qtbot.assertNotEmitted(composer.stop_requested):
        qtbot.keyClick(field, Qt.Key.Key_Escape)


def test_the_button_sends(qtbot, composer, field, button):
    width = button.width()
    qtbot.keyClicks(field, "Hi")
    assert button.text() == "Send"
    with qtbot.waitSignal(composer.message_submitted) as sent:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert sent.args == ["Hi"]
    composer.show_busy(True)
    assert button.width() == width


def test_up_edits_the_last_message_from_an_empty_field_only(qtbot, composer, field):
    with qtbot.waitSignal(composer.edit_last_requested):
        qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClicks(field, "x")
    with qtbot.assertNotEmitted(composer.edit_last_requested):
        qtbot.keyClick(field, Qt.Key.Key_Up)


def test_a_draft_is_reported_after_a_pause(qtbot, composer, field):
    drafts: list[str] = []
    composer.draft_changed.connect(drafts.append)
    qtbot.keyClicks(field, "abc")
    assert drafts == []
    qtbot.waitUntil(lambda: drafts == ["abc"])


def test_a_waiting_draft_is_flushed_once(qtbot, composer, field):
    drafts: list[str] = []
    composer.draft_changed.connect(drafts.append)
    qtbot.keyClicks(field, "abc")
    composer.flush_draft()
    composer.flush_draft()
    assert drafts == ["abc"]


def test_a_shown_draft_is_not_reported_back(qtbot, composer, button):
    with qtbot.assertNotEmitted(composer.draft_changed, wait=500):
        composer.show_draft("From last time")
    assert composer.text == "From last time"
    assert button.isEnabled()


def test_a_reason_stands_in_the_field_and_nothing_can_be_sent(qtbot, composer, field, button):
    composer.show_unavailable("Choose a model to chat with.")
    assert field.hint == "Choose a model to chat with."
    qtbot.keyClicks(field, "Hi")
    assert composer.text == ""
    assert not button.isEnabled()
    composer.show_unavailable("")
    qtbot.keyClicks(field, "Hi")
    assert button.isEnabled()


def test_a_draft_does_not_hide_the_reason(composer):
    composer.show_draft("Half a thought")
    composer.show_unavailable("Choose a model to chat with.")
    assert composer.findChild(ModelStatus).text() == "Choose a model to chat with."
    composer.show_unavailable("")
    composer.show_model_state("Ready")
    assert composer.findChild(ModelStatus).text() == "Ready"


def test_the_field_asks_for_a_message_or_a_follow_up(composer, field):
    assert field.hint == "Write a message"
    composer.show_follow_up(True)
    assert field.hint == "Ask a follow-up"


def test_it_grows_line_by_line_up_to_a_limit(composer, field, theme):
    line = theme.line_height("reading")
    heights = []
    for lines in (1, 2, 5, 40):
        composer.show_draft("\n".join("x" * lines))
        heights.append(field.height())
    assert heights == [line, 2 * line, 5 * line, MOST_LINES * line]
    composer.show_draft("")
    assert field.height() == line


def test_the_hint_lies_where_the_text_will(composer, field):
    composer.show_follow_up(True)
    hint = ink_rows(field)
    composer.show_draft("Ask a follow-up")
    assert ink_rows(field) == hint


def test_a_long_reason_wraps_and_the_field_grows_with_it(composer, field, theme):
    line = theme.line_height("reading")
    composer.show_unavailable("Causeway stays offline, so nothing can be asked. " * 3)
    assert field.height() in (2 * line, 3 * line)
    assert max(ink_rows(field)) > line
    composer.resize(1200, 88)
    QApplication.processEvents()
    assert field.height() < 3 * line
    composer.show_unavailable("")
    assert field.height() == line


def ink_rows(field: ComposerField) -> list[int]:
    image = field.viewport().grab().toImage()
    ground = image.pixel(image.width() - 1, 0)
    return [
        y
        for y in range(image.height())
        if any(image.pixel(x, y) != ground for x in range(4, 80))  # the caret is further right
    ]


def test_only_plain_text_is_pasted(composer, field):
    data = QMimeData()
    data.setHtml("<b>bold</b> &amp; <img src='file:///etc/hostname'>")
    data.setText("bold & plain")
    field.insertFromMimeData(data)
    assert composer.text == "bold & plain"
    assert not field.textCursor().charFormat().font().bold()


def test_a_dropped_file_is_left_to_the_window(field):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/models/tiny.gguf")])
    assert not field.canInsertFromMimeData(data)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "lorem ipsum " * 80_000 + "end",
        "def f():\n    return 1\n" * 20_000 + "end",
        "😀" * (PIECE * 3) + "\n\n" + "x" * (PIECE + 1),
        "tab\there, no\xa0break, windows\r\nline, old mac\rline",
    ],
    ids=["one word", "one line", "many lines", "emoji", "odd characters"],
)
def test_any_paste_comes_out_as_it_went_in(qtbot, composer, field, text):
    paste(field, text)
    assert composer.text == text.replace("\r\n", "\n").replace("\r", "\n")
    qtbot.keyClicks(field, "!")
    assert composer.text.endswith("!")


def test_no_paragraph_is_too_long_to_be_laid_out_at_each_key(field):
    paste(field, "a" * 100_000)
    block = field.document().begin()
    while block.isValid():
        assert block.length() <= PIECE + 1
        block = block.next()


def test_a_long_line_is_copied_cut_and_undone_whole(composer, field):
    text = "b" * (3 * PIECE)
    paste(field, text)
    field.selectAll()
    assert field.createMimeDataFromSelection().text() == text
    field.cut()
    assert composer.text == ""
    field.undo()
    assert composer.text == text


def test_a_break_within_a_long_line_is_a_real_one(qtbot, composer, field):
    paste(field, "c" * (2 * PIECE))
    field.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    paste(field, "d\ne")
    assert composer.text == "c" * (2 * PIECE) + "\nd\ne"


def test_too_long_a_paste_is_refused_in_words(composer, field):
    paste(field, "x" * (LONGEST_PASTE + 1))
    assert composer.text == ""
    assert "too many to paste" in composer.findChild(ModelStatus).text()


def test_the_bar_tells_state_speed_and_context(composer):
    composer.show_model_state("Writing")
    composer.show_speed(31.4)
    assert composer.findChild(ModelStatus).text() == "Writing · 31.4 tok/s"
    meter = composer.findChild(ContextMeter)
    assert not meter.isVisible()
    composer.show_context(2318, 8192, "How does LoRA keep an adapter so small?")
    assert meter.isVisible()
    assert "The next to leave is “How does LoRA keep an adapter so small?”." in meter.toolTip()
    bar = meter.findChild(Meter)
    assert bar.fraction == pytest.approx(2318 / 8192)
    assert bar.accessibleDescription() == meter.toolTip()


def numbers(composer: Composer) -> str:
    meter = composer.findChild(ContextMeter)
    return meter.findChild(Label).text() if meter.isVisible() else ""


def test_the_counter_counts_the_draft_at_once_and_exactly_when_that_is_known(
    qtbot, composer, field
):
    composer.show_context(100, 8192)
    qtbot.keyClicks(field, "12345678")
    assert numbers(composer) == "102 of 8,192"
    composer.show_exact_count("12345678", 115)
    assert numbers(composer) == "115 of 8,192"
    qtbot.keyClicks(field, "9012")
    assert numbers(composer) == "116 of 8,192"
    field.clear()
    assert numbers(composer) == "100 of 8,192"


def test_a_first_draft_shows_the_counter(qtbot, composer, field):
    composer.show_context(0, 8192)
    assert numbers(composer) == ""
    qtbot.keyClicks(field, "Hi")
    assert numbers(composer) == "1 of 8,192"


def test_a_long_draft_is_counted_when_typing_pauses(qtbot, composer, field):
    composer.show_context(0, 8192)
    with qtbot.waitSignal(composer.draft_changed):
        paste(field, "word " * 5000)
    assert numbers(composer) == "6,250 of 8,192"


def test_reading_and_writing_have_speeds_of_their_own(composer):
    status = composer.findChild(ModelStatus)
    composer.show_model_state("Ready")
    composer.show_context(300, 8192)
    composer.show_speed(14.5)
    assert status.text() == "Ready · 14.5 tok/s"
    composer.show_pace(Pace("reading", 900))
    assert (status.text(), numbers(composer)) == ("Reading…", "900 of 8,192")
    composer.show_pace(Pace("reading", 900, 212.0, 97.0))
    assert status.text() == "Reading… · 212 tok/s · 1 min 37 s left"
    composer.show_model_state("Writing")
    composer.show_pace(Pace("writing", 912, 7.5))
    assert (status.text(), numbers(composer)) == ("Writing · 7.5 tok/s", "912 of 8,192")
    composer.show_pace(Pace())
    assert numbers(composer) == "300 of 8,192"


def test_a_full_context_is_never_told_as_more_than_full(composer):
    composer.show_context(513, 512)
    assert "512 of 512" in composer.findChild(ContextMeter).toolTip()


def test_a_turn_of_any_length_is_told_by_its_first_words(composer):
    composer.show_context(10, 100, "word\n" * 200_000)
    assert len(composer.findChild(ContextMeter).toolTip()) < 300


def test_the_composer_takes_the_focus_for_its_field(qtbot, composer, field):
    with qtbot.waitActive(composer):
        composer.activateWindow()
    composer.take_focus()
    assert field.hasFocus()


@pytest.mark.parametrize("keys", ["Ctrl+K", "Ctrl+B", "Ctrl+I", "Ctrl+L"])
def test_the_windows_keys_reach_the_window(qtbot, composer, field, keys):
    reached: list[str] = []
    QShortcut(QKeySequence(keys), composer, lambda: reached.append(keys))
    qtbot.keyClicks(field, "words")
    composer.activateWindow()
    composer.take_focus()
    field.moveCursor(QTextCursor.MoveOperation.Start)
    qtbot.keyClick(field, keys[-1].lower(), Qt.KeyboardModifier.ControlModifier)
    assert reached == [keys]
    assert composer.text == "words"


def test_to_whom_it_goes_is_told_where_a_person_writes(composer, field):
    icon = composer._leaving
    assert not icon.isVisible()
    composer.show_leaving("What you write goes to OpenAI.")
    assert icon.isVisible()
    assert icon.toolTip() == "What you write goes to OpenAI."
    assert field.accessibleDescription() == "Write a message. What you write goes to OpenAI."
    composer.show_leaving("")
    assert not icon.isVisible()
    assert field.accessibleDescription() == "Write a message"
