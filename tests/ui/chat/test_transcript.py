"""The transcript: built from its end, keeping the reader's place, and everything by keyboard."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.conversations.records import Message, Origin, Page, ReadingPlace
from backends.protocol import Timings, Usage
from ui.background import Background
from ui.chat.answer_item import AnswerItem
from ui.chat.details_dialog import DetailsDialog
from ui.chat.message_item import PersonItem
from ui.chat.message_words import details
from ui.chat.transcript import Transcript
from ui.kit import Button, Notice

ORIGIN = Origin(
    model_name="SmolLM3-3B",
    quant="Q4_K_M",
    model_file="SmolLM3-3B.Q4_K_M.gguf",
    usage=Usage(900, 800, 412),
    timings=Timings(500, 600, 9000, 31.4),
    seed=7,
    options={"temperature": 0.6, "max_tokens": -1},
)
ANSWER = "An answer with a list:\n\n- one\n- two\n\n```py\nx = 1\n```\n\nAnd a last line."


def message(number: int, role: str = "", text: str = "", **more) -> Message:
    role = role or ("user" if number % 2 == 0 else "assistant")
    text = text or (f"Question {number}" if role == "user" else f"{ANSWER} {number}")
    origin = ORIGIN if role == "assistant" else None
    return Message(
        **{
            "id": f"m{number}",
            "conversation_id": "c",
            "parent_id": f"m{number - 1}" if number else None,
            "role": role,
            "text": text,
            "created": 0.0,
            "origin": origin,
            **more,
        }
    )


def page(first: int, last: int) -> Page:
    return Page(messages=tuple(message(n) for n in range(first, last)), has_earlier=first > 0)


@pytest.fixture
def transcript(qtbot, theme):
    background = Background()
    transcript = Transcript(theme, background)
    qtbot.addWidget(transcript)
    transcript.resize(800, 600)
    transcript.show()
    qtbot.waitExposed(transcript)
    yield transcript
    transcript.hide()
    transcript.clear()
    transcript._warming.stop()
    assert background.finish(10_000)


def value(transcript) -> int:
    return transcript.verticalScrollBar().value()


def end(transcript) -> int:
    return transcript.verticalScrollBar().maximum()


def scroll_to(transcript, position: int) -> None:
    transcript.verticalScrollBar().setValue(position)


def on_screen(transcript, message_id: str) -> int:
    """Where the top of a message is seen, in pixels from the top of the transcript."""
    item = next(item for item in transcript.items if item.message.id == message_id)
    return item.mapTo(transcript, QPoint(0, 0)).y()


def built(qtbot, transcript, count: int) -> None:
    qtbot.waitUntil(lambda: len(transcript.items) == count, timeout=60_000)


def texts(transcript) -> list[str]:
    return [item.message.id for item in transcript.items]


def show(qtbot, transcript, shown: Page) -> None:
    transcript.show_page(shown)
    built(qtbot, transcript, len(shown.messages))


def last(transcript) -> AnswerItem:
    item = transcript.items[-1]
    assert isinstance(item, AnswerItem)
    return item


# Building, and the reader's place


def test_only_what_fills_the_viewport_is_built_before_the_first_paint(qtbot, transcript):
    transcript.show_page(page(40, 100))
    assert 2 <= len(transcript.items) < 15
    assert transcript.items[-1].message.id == "m99"
    assert value(transcript) == end(transcript) > 0
    built(qtbot, transcript, 60)
    assert texts(transcript) == [f"m{n}" for n in range(40, 100)]
    assert value(transcript) == end(transcript)


def test_messages_stand_below_each_other_without_overlapping(qtbot, transcript):
    show(qtbot, transcript, page(0, 12))
    for above, below in pairwise(transcript.items):
        assert above.geometry().bottom() < below.geometry().top()


def test_earlier_messages_are_asked_for_once_near_the_top_and_keep_the_place(qtbot, transcript):
    show(qtbot, transcript, page(40, 100))
    asked: list[bool] = []
    transcript.earlier_requested.connect(lambda: asked.append(True))
    scroll_to(transcript, 100)
    scroll_to(transcript, 50)
    assert asked == [True]
    assert transcript.first_message_id() == "m40"
    place = on_screen(transcript, "m41")
    transcript.prepend_page(page(20, 40))
    built(qtbot, transcript, 80)
    assert on_screen(transcript, "m41") == place
    assert transcript.first_message_id() == "m20"
    assert texts(transcript) == [f"m{n}" for n in range(20, 100)]


def test_the_view_follows_what_is_written_while_the_reader_is_at_the_end(qtbot, transcript):
    show(qtbot, transcript, page(0, 4))
    transcript.append_message(message(4))
    transcript.begin_answer(message(5, text="…", status="streaming"))
    for _ in range(5):
        transcript.add_text("More words.\n\n" * 20)
        last(transcript)._streaming.flush()
        assert value(transcript) == end(transcript)
    assert transcript.following


def test_nothing_moves_for_a_reader_who_is_elsewhere(qtbot, transcript):
    show(qtbot, transcript, page(0, 20))
    transcript.begin_answer(message(21, "assistant", "…", status="streaming"))
    scroll_to(transcript, end(transcript) // 2)
    assert not transcript.following
    place = on_screen(transcript, "m9")
    for _ in range(5):
        transcript.add_text("More words.\n\n" * 20)
        last(transcript)._streaming.flush()
        assert on_screen(transcript, "m9") == place
    transcript.finish_answer(message(21, "assistant", "…" + "More words.\n\n" * 100))
    assert on_screen(transcript, "m9") == place


def test_a_reader_within_the_growing_answer_stays_there(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    transcript.begin_answer(message(3, "assistant", "Words.\n\n" * 100, status="streaming"))
    scroll_to(transcript, end(transcript) - 800)
    place = on_screen(transcript, "m3")
    transcript.add_text("Words.\n\n" * 50)
    last(transcript)._streaming.flush()
    assert on_screen(transcript, "m3") == place


def test_resizing_keeps_the_place(qtbot, transcript):
    show(qtbot, transcript, page(0, 30))
    scroll_to(transcript, end(transcript) // 2)
    first = next(item for item in transcript.items if on_screen(transcript, item.message.id) >= 0)
    above = transcript.items[transcript.items.index(first) - 1].message.id
    place = on_screen(transcript, above)
    transcript.resize(500, 400)
    assert on_screen(transcript, above) == place
    transcript.resize(900, 700)
    assert on_screen(transcript, above) == place


def all_but_blanks_stand_right(transcript) -> bool:
    bottom = 0
    for part in transcript.column.parts:
        if part.y() < bottom:
            return False
        bottom = part.y() + part.height()
    return True


@pytest.mark.parametrize("number", [0, 1, 31, 160, 299])
def test_a_page_is_shown_where_it_was_read(qtbot, transcript, number):
    shown = page(0, 300)
    place = ReadingPlace(f"m{number}", 0.25)
    transcript.show_page(shown, place)
    item = next(item for item in transcript.items if item.message.id == f"m{number}")
    bound = transcript.verticalScrollBar()
    seen = round(-0.25 * item.height())
    if bound.value() < bound.maximum():
        assert abs(on_screen(transcript, f"m{number}") - seen) <= 1
        assert not transcript.following
        kept = transcript.reading_place()
        assert kept.message_id == f"m{number}"
        assert abs(kept.part - 0.25) < 0.05
    else:
        assert transcript.following
        assert on_screen(transcript, f"m{number}") < transcript.height()
    assert len(transcript.items) < 60
    assert all_but_blanks_stand_right(transcript)
    transcript.jump_to_end()
    assert on_screen(transcript, "m299") < transcript.height()


def test_what_is_above_the_place_is_built_without_moving_it(qtbot, transcript):
    transcript.show_page(page(100, 200), ReadingPlace("m150", below=120))
    assert on_screen(transcript, "m150") == 120
    qtbot.waitUntil(lambda: "m100" in texts(transcript), timeout=60_000)
    assert on_screen(transcript, "m150") == 120
    scroll_to(transcript, end(transcript))
    qtbot.waitUntil(lambda: "m199" in texts(transcript))


def test_the_place_holds_in_another_width_also_while_hidden(qtbot, transcript):
    transcript.hide()
    transcript.show_page(page(0, 100), ReadingPlace("m51", 0.5))
    transcript.resize(500, 400)
    transcript.show()
    item = next(item for item in transcript.items if item.message.id == "m51")
    assert abs(on_screen(transcript, "m51") + item.height() * 0.5) <= 1
    transcript.resize(800, 500)
    assert abs(on_screen(transcript, "m51") + item.height() * 0.5) <= 1


def test_a_place_that_is_gone_leads_to_the_end(qtbot, transcript):
    transcript.show_page(page(0, 40), ReadingPlace("deleted", 0.5))
    assert transcript.following
    assert transcript.reading_place() is None
    assert value(transcript) == end(transcript)


def test_resizing_at_the_end_stays_at_the_end(qtbot, transcript):
    show(qtbot, transcript, page(0, 30))
    transcript.resize(500, 300)
    assert value(transcript) == end(transcript)


def test_the_column_is_centred_and_at_most_as_wide_as_the_look_says(qtbot, transcript, theme):
    transcript.resize(1400, 600)
    show(qtbot, transcript, page(0, 4))
    item = transcript.items[0]
    left = item.mapTo(transcript, QPoint(0, 0)).x()
    assert item.width() == theme.size("column") + 32
    assert left == (1400 - item.width()) // 2


def test_a_button_brings_the_reader_back_to_the_end(qtbot, transcript):
    show(qtbot, transcript, page(0, 20))
    (jump,) = [b for b in transcript.findChildren(Button) if b.text() == "Jump to the end"]
    assert not jump.isVisible()
    scroll_to(transcript, 10)
    assert jump.isVisible()
    QTest.mouseClick(jump, Qt.MouseButton.LeftButton)
    assert value(transcript) == end(transcript)
    assert not jump.isVisible()


def test_sending_goes_to_the_end(qtbot, transcript):
    show(qtbot, transcript, page(0, 20))
    scroll_to(transcript, 10)
    transcript.append_message(message(20))
    assert transcript.following
    assert value(transcript) == end(transcript)


def test_a_cleared_transcript_is_empty(qtbot, transcript):
    show(qtbot, transcript, page(0, 6))
    transcript.clear()
    assert transcript.items == []
    assert transcript.first_message_id() == ""


def test_of_very_many_messages_those_far_away_are_let_go_and_come_back(qtbot, transcript):
    show(qtbot, transcript, page(160, 200))
    scroll_to(transcript, 0)
    transcript.prepend_page(page(60, 160))
    qtbot.waitUntil(lambda: transcript.first_message_id() == "m60" and not transcript._waiting)
    scroll_to(transcript, 0)
    height = end(transcript)
    place = on_screen(transcript, "m61")
    qtbot.waitUntil(lambda: len(transcript.items) < 80)
    assert on_screen(transcript, "m61") == place
    assert end(transcript) == height
    assert transcript.last_answer_text().endswith(" 199")
    scroll_to(transcript, height // 2)
    built_now = {item.message.id for item in transcript.items}
    assert len(built_now & {f"m{n}" for n in range(110, 150)}) > 4
    assert end(transcript) == height
    transcript.jump_to_end()
    assert transcript.items[-1].message.id == "m199"


def test_a_selection_that_is_drawn_beyond_the_edge_scrolls(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    long = message(3, "assistant", "Words and words.\n\n" * 100)
    transcript.append_message(long)
    before = value(transcript)
    viewport = last(transcript).view.viewport()
    visible = viewport.mapFromGlobal(transcript.mapToGlobal(QPoint(100, 300)))
    above = viewport.mapFromGlobal(transcript.mapToGlobal(QPoint(100, -80)))
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=visible)
    drag = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(above),
        QPointF(viewport.mapToGlobal(above)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, drag)
    assert value(transcript) == before - 80
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=above)


def test_keys_scroll_also_from_within_a_message(qtbot, transcript):
    show(qtbot, transcript, page(0, 20))
    view = last(transcript).view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_PageUp)
    up = value(transcript)
    assert up < end(transcript)
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert value(transcript) == 0
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert value(transcript) > 0
    QTest.keyClick(view, Qt.Key.Key_End)
    assert value(transcript) == end(transcript)
    assert transcript.following


# The answer that is being written


def test_an_answer_streams_and_is_finished(qtbot, transcript):
    show(qtbot, transcript, page(0, 1))
    transcript.begin_answer(message(1, text=" ", status="streaming"))
    transcript.add_text("Hello **wor")
    transcript.add_text("ld**")
    assert transcript.last_answer_text().strip() == "Hello **world**"
    transcript.finish_answer(message(1, text="Hello **world**"))
    answer = last(transcript)
    assert answer.view.toPlainText() == "Hello world"
    assert not answer.streaming
    transcript.add_text("too late")
    assert answer.view.toPlainText() == "Hello world"


def test_an_answer_that_is_continued_keeps_its_beginning(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    transcript.begin_answer(message(1, text="Once upon", status="streaming"))
    assert texts(transcript) == ["m0", "m1"]
    transcript.add_text(" a time")
    assert transcript.last_answer_text() == "Once upon a time"
    transcript.finish_answer(message(1, text="Once upon a time"))
    assert last(transcript).view.toPlainText() == "Once upon a time"


def test_what_happens_before_the_first_word_is_said(qtbot, transcript):
    def words() -> str:
        return last(transcript)._progress._words.text()

    show(qtbot, transcript, page(0, 1))
    transcript.begin_answer(message(1, text=" ", status="streaming"))
    transcript.show_waiting()
    assert "Waiting" in words()
    transcript.show_loading("SmolLM3-3B", 0.4)
    assert words() == "Loading SmolLM3-3B"
    transcript.show_prompt_progress(300, 2000)
    assert words() == "Reading the chat, 300 of 2,000 tokens"
    transcript.add_text("First")
    assert last(transcript)._progress.isHidden()
    transcript.finish_answer(message(1, text="First"))


def test_the_row_of_actions_has_its_room_while_the_answer_is_written(qtbot, transcript):
    show(qtbot, transcript, page(0, 1))
    transcript.begin_answer(message(1, text="Words", status="streaming"))
    last(transcript)._streaming.flush()
    before = last(transcript).height()
    assert not any(button.isEnabled() for button in last(transcript).row.buttons)
    transcript.finish_answer(message(1, text="Words"))
    assert last(transcript).height() == before
    assert all(button.isEnabled() for button in last(transcript).row.buttons)


def test_a_thought_is_folded_until_someone_wants_to_see_it(qtbot, transcript):
    show(qtbot, transcript, page(0, 1))
    transcript.begin_answer(message(1, text=" ", status="streaming"))
    transcript.add_reasoning("Let me *see*")
    thought = last(transcript)._thought
    assert thought.line.text() == "Thinking…"
    assert "see" not in visible_text(thought)
    QTest.keyClick(thought.line, Qt.Key.Key_Space)
    assert visible_text(thought) == "Let me see"
    transcript.add_reasoning(" now.")
    transcript.add_text("Answer")
    transcript.finish_answer(
        message(1, text="Answer", reasoning="Let me *see* now.", reasoning_seconds=6.2)
    )
    assert thought.line.text() == "Thought for 6 s"
    assert visible_text(thought) == "Let me see now."


def visible_text(thought) -> str:
    view = thought._view
    return view.toPlainText() if view is not None and view.isVisible() else ""


def test_an_interrupted_answer_says_why_and_can_be_retried(qtbot, transcript):
    show(qtbot, transcript, page(0, 1))
    transcript.begin_answer(message(1, text=" ", status="streaming"))
    transcript.finish_answer(
        message(1, text="Half", status="interrupted", problem="The model stopped. Load it again.")
    )
    notice = last(transcript).findChild(Notice)
    assert notice.accessibleName() == "The model stopped. Load it again."
    (retry,) = [b for b in notice.findChildren(Button) if b.text() == "Retry"]
    with qtbot.waitSignal(transcript.retry_requested, timeout=1000) as told:
        QTest.keyClick(retry, Qt.Key.Key_Space)
    assert told.args == ["m1"]


def test_a_trimmed_history_is_said(qtbot, transcript):
    words = "The 6 oldest turns no longer fit and were left out."
    shown = Page(messages=(message(0), message(1, notice=words)), has_earlier=False)
    show(qtbot, transcript, shown)
    assert last(transcript).findChild(Notice).accessibleName() == words


# Actions


@pytest.mark.parametrize(
    ("action", "signal"),
    [
        ("copy", "copy_requested"),
        ("regenerate", "regenerate_requested"),
        ("delete", "delete_requested"),
        ("continue", "continue_requested"),
    ],
)
def test_actions_tell_which_message_they_mean(qtbot, transcript, action, signal):
    shown = Page(messages=(message(0), message(1, status="length")), has_earlier=False)
    show(qtbot, transcript, shown)
    with qtbot.waitSignal(getattr(transcript, signal), timeout=1000) as told:
        QTest.keyClick(last(transcript).row.button(action), Qt.Key.Key_Space)
    assert told.args == ["m1"]


@pytest.mark.parametrize("status", ["complete", "stopped", "length", "interrupted"])
def test_only_a_cut_answer_can_be_continued(qtbot, transcript, status):
    shown = Page(messages=(message(0), message(1, status=status)), has_earlier=False)
    show(qtbot, transcript, shown)
    assert (last(transcript).row.button("continue") is not None) == (status != "complete")


def test_siblings_are_walked(qtbot, transcript):
    sibling = message(1, sibling_index=1, sibling_count=3)
    show(qtbot, transcript, Page(messages=(message(0), sibling), has_earlier=False))
    before, after = last(transcript).row.buttons[-2:]
    with qtbot.waitSignal(transcript.sibling_requested, timeout=1000) as told:
        QTest.mouseClick(after, Qt.MouseButton.LeftButton)
    assert told.args == ["m1", 1]
    with qtbot.waitSignal(transcript.sibling_requested, timeout=1000) as told:
        QTest.mouseClick(before, Qt.MouseButton.LeftButton)
    assert told.args == ["m1", -1]


def test_the_last_sibling_has_none_after_it(qtbot, transcript):
    sibling = message(1, sibling_index=2, sibling_count=3)
    show(qtbot, transcript, Page(messages=(message(0), sibling), has_earlier=False))
    before, after = last(transcript).row.buttons[-2:]
    assert before.isEnabled()
    assert not after.isEnabled()


def test_a_question_is_rewritten_in_place(qtbot, transcript):
    show(qtbot, transcript, page(0, 4))
    transcript.edit_last_question()
    question = transcript.items[2]
    assert isinstance(question, PersonItem)
    edit = question.editing
    assert edit.field.toPlainText() == "Question 2"
    assert not question.view.isVisible()
    QTest.keyClicks(edit.field, ", really")
    with qtbot.waitSignal(transcript.edit_submitted, timeout=1000) as told:
        QTest.keyClick(edit.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert told.args == ["m2", "Question 2, really"]
    assert question.editing is None


def test_escape_leaves_a_question_as_it_was(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    transcript.edit_last_question()
    question = transcript.items[0]
    QTest.keyClicks(question.editing.field, "!!!")
    QTest.keyClick(question.editing.field, Qt.Key.Key_Escape)
    assert question.editing is None
    assert question.view.isVisible()
    assert question.view.toPlainText() == "Question 0"


def test_an_empty_text_cannot_be_sent(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    transcript.edit_last_question()
    edit = transcript.items[0].editing
    edit.field.setPlainText("  ")
    assert not edit.save.isEnabled()


def test_details_tell_how_the_answer_came_about(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    with qtbot.waitSignal(transcript.details_requested) as asked:
        last(transcript).row.button("details").click()
    dialog = DetailsDialog(transcript._theme, details(asked.args[0]))
    qtbot.addWidget(dialog)
    words = " ".join(
        label.accessibleName()
        for label in dialog.findChildren(object)
        if hasattr(label, "accessibleName")
    )
    for part in ("SmolLM3-3B Q4_K_M", "31.4 tok/s", "412 tokens", "Seed: 7", "Ended: Finished"):
        assert part in words


def test_links_are_told(qtbot, transcript):
    shown = Page(messages=(message(0), message(1, text="<https://a.example>")), has_earlier=False)
    show(qtbot, transcript, shown)
    with qtbot.waitSignal(transcript.link_activated, timeout=1000) as told:
        last(transcript).view.link_activated.emit("https://a.example")
    assert told.args == ["https://a.example"]


def test_tab_visits_messages_and_their_actions_from_top_to_bottom(qtbot, transcript):
    show(qtbot, transcript, page(0, 6))
    transcript.activateWindow()
    transcript.setFocus(Qt.FocusReason.TabFocusReason)
    wanted = [widget for item in transcript.items for widget in item.focus_widgets()]
    visited = []
    for _ in wanted:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        visited.append(QApplication.focusWidget())
    assert visited == [widget for widget in wanted if widget.isEnabled()]
    assert all(widget.accessibleName() for widget in visited)


def test_actions_show_when_the_keyboard_reaches_them(qtbot, transcript):
    show(qtbot, transcript, page(0, 6))
    row = transcript.items[1].row
    qtbot.waitUntil(lambda: row._veil._opacity == 1)
    row.buttons[0].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(lambda: row._veil._opacity == 0, timeout=2000)
    transcript.setFocus()
    qtbot.waitUntil(lambda: row._veil._opacity == 1, timeout=2000)


def test_the_focus_is_known_to_be_inside(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    assert transcript.holds(transcript.items[0].view)
    assert not transcript.holds(QApplication.instance())


def button_at(item, action: str) -> int:
    return item.row.button(action).mapTo(item, QPoint(0, 0)).x()


def test_the_buttons_stay_where_they_are_when_there_are_versions(qtbot, transcript):
    show(qtbot, transcript, page(0, 2))
    alone = {action: button_at(last(transcript), action) for action in ("copy", "regenerate")}
    several = message(1, sibling_index=1, sibling_count=2)
    show(qtbot, transcript, Page(messages=(message(0), several), has_earlier=False))
    assert {action: button_at(last(transcript), action) for action in alone} == alone


def test_only_a_question_without_an_answer_can_be_answered(qtbot, transcript):
    show(qtbot, transcript, page(0, 3))
    first, _, second = transcript.items
    assert not first.row.button("answer").isVisible()
    assert second.row.button("answer").isVisible()
    with qtbot.waitSignal(transcript.regenerate_requested) as asked:
        QTest.mouseClick(second.row.button("answer"), Qt.MouseButton.LeftButton)
    assert asked.args == ["m2"]
    transcript.begin_answer(message(3, status="streaming", text=" "))
    assert not second.row.button("answer").isVisible()
