"""The list of chats: groups, selection through changes, keys, renaming, empty states."""

from datetime import datetime

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu

from app.conversations.records import ConversationRow
from ui.chat.conversation_delegate import ConversationDelegate
from ui.chat.conversation_list import ConversationList
from ui.chat.conversation_model import WRITING_ROLE, ConversationModel
from ui.chat.conversation_view import ConversationView
from ui.kit import IconButton, SearchField

NOW = datetime(2026, 7, 21, 11, 0).timestamp()
DAY = 86_400


def rows(*ages: float) -> tuple[ConversationRow, ...]:
    return tuple(
        ConversationRow(id=f"c{i}", title=f"Chat {i}", updated=NOW - age, snippet=f"Words {i}")
        for i, age in enumerate(ages)
    )


def titles(model: ConversationModel) -> list[str]:
    return [model.index(row).data() for row in range(model.rowCount())]


@pytest.fixture
def panel(qtbot, theme):
    panel = ConversationList(theme, clock=lambda: NOW)
    qtbot.addWidget(panel)
    panel.resize(260, 600)
    panel.show()
    return panel


@pytest.fixture
def view(panel) -> ConversationView:
    return panel.findChild(ConversationView)


def test_chats_stand_under_the_heading_of_their_date():
    model = ConversationModel()
    model.show_rows(rows(60, DAY, 3 * DAY, 20 * DAY, 90 * DAY, 500 * DAY), NOW)
    assert titles(model) == [
        *("Today", "Chat 0", "Yesterday", "Chat 1", "Previous 7 days", "Chat 2"),
        *("Previous 30 days", "Chat 3", "April", "Chat 4", "March 2025", "Chat 5"),
    ]


def test_a_heading_can_be_neither_chosen_nor_renamed():
    model = ConversationModel()
    model.show_rows(rows(60), NOW)
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsEditable


def test_a_row_reads_as_title_words_and_time():
    model = ConversationModel()
    model.show_rows(rows(60), NOW)
    assert model.index(1).data(Qt.ItemDataRole.AccessibleTextRole) == "Chat 0. Words 0. 10:59"


def test_what_happens_to_an_answer_stands_in_the_second_line():
    model = ConversationModel()
    cut = ConversationRow(id="cut", title="Cut", updated=NOW, snippet="Half", status="interrupted")
    new = ConversationRow(id="new", title="", updated=NOW)
    model.show_rows((cut, new), NOW)
    stopped = ConversationRow(id="stopped", title="Stopped", updated=NOW, status="stopped")
    assert model.snippet(new) == "No answer yet"
    assert model.snippet(stopped) == "Stopped"
    model.show_writing(frozenset({"new"}))
    assert model.snippet(cut) == "The answer was cut off"
    assert model.snippet(new) == "Writing…"
    assert model.index(2).data() == "New chat"
    assert model.index(2).data(WRITING_ROLE)


def test_new_words_in_the_same_rows_do_not_lay_the_list_out_again(qtbot):
    model = ConversationModel()
    model.show_rows(rows(60, DAY), NOW)
    changed = tuple(
        ConversationRow(id=row.id, title=row.title, updated=row.updated, snippet="Other")
        for row in rows(60, DAY)
    )
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.repaint_wanted):
        model.show_rows(changed, NOW)
    assert model.conversation_at(model.index(1)).snippet == "Other"


def test_selection_and_place_stay_when_a_chat_comes_on_top(panel, view):
    many = rows(*(60 * i for i in range(100)))
    panel.show_rows(many)
    panel.show_current("c50")
    place = view.verticalScrollBar().value()
    assert place > 0
    newest = ConversationRow(id="new", title="New", updated=NOW)
    panel.show_rows((newest, *many))
    assert view.current_id() == "c50"
    assert view.verticalScrollBar().value() == place


def test_showing_a_current_chat_is_not_choosing_it(qtbot, panel):
    panel.show_rows(rows(60, DAY))
    with qtbot.assertNotEmitted(panel.conversation_chosen, wait=200):
        panel.show_current("c1")


def click(qtbot, view, chat: str) -> None:
    place = view.visualRect(view.model().index_of(chat)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_click_chooses_and_the_keys_act_on_that_chat(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    with qtbot.waitSignal(panel.conversation_chosen) as chosen:
        click(qtbot, view, "c1")
    assert chosen.args == ["c1"]
    assert panel.window().focusWidget() is view
    with qtbot.waitSignal(panel.rename_submitted) as renamed:
        rename(qtbot, view, "Tidal flats", Qt.Key.Key_Return)
    assert renamed.args == ["c1", "Tidal flats"]
    with qtbot.waitSignal(panel.delete_requested) as deleted:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert deleted.args == ["c1"]


def test_what_is_typed_on_a_chat_is_meant_for_its_message(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    click(qtbot, view, "c1")
    with qtbot.waitSignal(panel.writing_begun) as begun:
        qtbot.keyClick(view, "h")
    assert begun.args == ["h"]
    assert view.current_id() == "c1"
    keys = (Qt.Key.Key_Backspace, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_F5)
    with (
        qtbot.assertNotEmitted(panel.writing_begun),
        qtbot.assertNotEmitted(panel.delete_requested),
    ):
        for key in keys:
            qtbot.keyClick(view, key)
        qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)


def test_the_arrows_skip_headings_and_choose_where_they_rest(qtbot, panel, view):
    panel.show_rows(rows(60, DAY, 3 * DAY))
    panel.show_current("c0")
    chosen: list[str] = []
    panel.conversation_chosen.connect(chosen.append)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: bool(chosen))
    assert chosen == ["c2"]


@pytest.mark.parametrize(("key", "expected"), [(Qt.Key.Key_Home, "c0"), (Qt.Key.Key_End, "c2")])
def test_home_and_end_go_to_the_first_and_last_chat(qtbot, panel, view, key, expected):
    panel.show_rows(rows(60, DAY, 3 * DAY))
    panel.show_current("c1")
    with qtbot.waitSignal(panel.conversation_chosen) as chosen:
        qtbot.keyClick(view, key)
    assert chosen.args == [expected]


def test_enter_asks_to_write_there(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    panel.show_current("c1")
    with qtbot.waitSignal(panel.writing_requested) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert asked.args == ["c1"]


def test_del_asks_to_delete(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    panel.show_current("c1")
    with qtbot.waitSignal(panel.delete_requested) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert asked.args == ["c1"]


def rename(qtbot, view, title: str, end: Qt.Key) -> None:
    qtbot.keyClick(view, Qt.Key.Key_F2)
    field = view.viewport().findChildren(QLineEdit)[-1]
    field.selectAll()
    qtbot.keyClicks(field, title)
    qtbot.keyClick(field, end)
    qtbot.waitUntil(lambda: not view.is_renaming())


def test_f2_renames(qtbot, panel, view):
    panel.show_rows(rows(60))
    panel.show_current("c0")
    with qtbot.waitSignal(panel.rename_submitted) as renamed:
        rename(qtbot, view, "  Tidal flats ", Qt.Key.Key_Return)
    assert renamed.args == ["c0", "Tidal flats"]


def test_a_blank_or_abandoned_title_changes_nothing(qtbot, panel, view):
    panel.show_rows(rows(60))
    panel.show_current("c0")
    with qtbot.assertNotEmitted(panel.rename_submitted):
        rename(qtbot, view, "   ", Qt.Key.Key_Return)
    with qtbot.assertNotEmitted(panel.rename_submitted):
        rename(qtbot, view, "Other", Qt.Key.Key_Escape)


def test_enter_ends_renaming_and_opens_nothing(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    panel.show_current("c0")
    with qtbot.assertNotEmitted(panel.writing_requested):
        rename(qtbot, view, "Tidal flats", Qt.Key.Key_Return)


def test_the_right_button_leaves_the_mark_on_the_open_chat(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    panel.show_current("c0")
    place = view.visualRect(view.model().index_of("c1")).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=place)
    assert view.current_id() == "c0"


def test_new_rows_wait_while_a_title_is_edited(qtbot, panel, view):
    panel.show_rows(rows(60))
    panel.show_current("c0")
    qtbot.keyClick(view, Qt.Key.Key_F2)
    field = view.viewport().findChild(QLineEdit)
    panel.show_rows(rows(60, DAY))
    assert view.is_renaming()
    assert view.model().rowCount() == 2
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: view.model().rowCount() == 4)


def test_the_menu_of_a_chat_that_is_written_in_offers_to_stop(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    panel.show_writing(frozenset({"c1"}))
    place = view.visualRect(view.model().index_of("c1")).center()
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place)
    )
    view.contextMenuEvent(event)
    menu = view.findChild(QMenu)
    assert menu.actions()[0].text() == "Stop writing"
    with qtbot.waitSignal(panel.stop_requested) as asked:
        menu.actions()[0].trigger()
    assert asked.args == ["c1"]
    menu.close()


def test_the_menu_offers_to_rename_and_delete(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    place = view.visualRect(view.model().index_of("c1")).center()
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place)
    )
    view.contextMenuEvent(event)
    menu = view.findChild(QMenu)
    assert [action.text().split("\t")[0] for action in menu.actions()] == ["Rename", "Delete"]
    with qtbot.waitSignal(panel.delete_requested) as asked:
        menu.actions()[1].trigger()
    assert asked.args == ["c1"]
    menu.close()


def test_search_waits_for_a_pause_and_clearing_does_not(qtbot, panel):
    field = panel.findChild(SearchField)
    searches: list[str] = []
    panel.search_changed.connect(searches.append)
    qtbot.keyClicks(field, "tide")
    assert searches == []
    qtbot.waitUntil(lambda: searches == ["tide"])
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert searches == ["tide", ""]


def test_down_leads_from_the_search_to_the_chats(qtbot, panel, view):
    panel.show_rows(rows(60, DAY))
    panel.activateWindow()
    panel.focus_search()
    qtbot.keyClick(panel.findChild(SearchField), Qt.Key.Key_Down)
    assert view.hasFocus()
    assert view.current_id() == "c0"


def test_an_empty_list_says_what_belongs_here_or_what_was_not_found(panel, view):
    panel.show_rows(())
    assert not view.isVisible()
    assert "No chats yet" in visible_words(panel)
    panel.findChild(SearchField).setText("tide")
    panel.show_rows(())
    assert "No chat has “tide” in its title or its messages." in visible_words(panel)
    panel.show_rows(rows(60))
    assert view.isVisible()


def visible_words(panel: ConversationList) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def test_new_chat_is_asked_for_by_its_button(qtbot, panel):
    button = next(b for b in panel.findChildren(IconButton) if b.accessibleName() == "New chat")
    with qtbot.waitSignal(panel.new_chat_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_neighbours_are_found_by_steps(panel):
    panel.show_rows(rows(60, DAY, 3 * DAY))
    panel.show_current("c1")
    assert (panel.neighbour(-1), panel.neighbour(1), panel.neighbour(2)) == ("c0", "c2", "")


@pytest.fixture
def measured(monkeypatch) -> list[int]:
    """Grows with every row that is measured. PySide looks an override up once: patch it first."""
    calls: list[int] = []
    size_hint = ConversationDelegate.sizeHint
    monkeypatch.setattr(
        ConversationDelegate,
        "sizeHint",
        lambda self, option, index: calls.append(1) or size_hint(self, option, index),
    )
    return calls


def test_other_words_in_five_thousand_rows_measure_only_those_in_sight(measured, panel):
    many = rows(*(1000 * i for i in range(5000)))
    panel.show_rows(many)
    assert len(measured) >= len(many)
    measured.clear()
    panel.show_writing(frozenset({"c7"}))
    panel.show_rows(tuple(msgspec.structs.replace(row, snippet="Other") for row in many))
    panel.grab()
    assert len(measured) < 50


def test_every_control_has_a_name(panel):
    for control in panel.findChildren(IconButton) + panel.findChildren(SearchField):
        assert control.accessibleName()


def test_esc_in_the_search_is_kept_from_the_window_while_it_clears(panel):
    field = panel.findChild(SearchField)
    field.setText("tide")
    override = QKeyEvent(
        QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier
    )
    override.ignore()
    assert panel.eventFilter(field, override)
    assert override.isAccepted()


def test_both_looks_paint(qtbot, panel, theme):
    panel.show_rows(rows(60, DAY))
    light = panel.grab().toImage()
    theme.set_preference("dark")
    assert panel.grab().toImage() != light
    assert panel.grab().toImage().pixelColor(QPoint(4, 590)) == theme.color("panel")
