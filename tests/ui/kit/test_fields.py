from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import ComboBox, NumberField, SearchField, TextArea, TextField
from ui.theme import Theme


def shown(widget: QWidget, qtbot: QtBot) -> None:
    """Show a widget in a window where something else has the focus."""
    window = QWidget()
    # The bot does not keep a window alive by itself; what it does before closing it does.
    qtbot.addWidget(window, before_close_func=lambda _, keep=window: keep.hide())
    column = QVBoxLayout(window)
    column.addWidget(widget)
    other = focusable(window)
    column.addWidget(other)
    window.show()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)


def focusable(parent: QWidget) -> QWidget:
    other = QWidget(parent)
    other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return other


def pixels(widget: QWidget) -> set[str]:
    return colors_in(widget.grab().toImage())


def test_an_invalid_field_has_a_red_edge_until_it_is_mended(theme: Theme, qtbot: QtBot) -> None:
    field = TextField(theme, "Package index")
    shown(field, qtbot)
    danger = theme.color("danger").name()
    assert danger not in pixels(field)
    field.set_invalid(True)
    assert danger in pixels(field)
    field.set_invalid(False)
    assert danger not in pixels(field)


def test_a_field_rings_when_it_has_the_focus(theme: Theme, qtbot: QtBot) -> None:
    field = TextField(theme, "Name")
    shown(field, qtbot)
    ring = theme.color("ring").name()
    assert ring not in pixels(field)
    field.setFocus()
    assert ring in pixels(field)


def test_text_does_not_move_when_the_ring_comes(theme: Theme, qtbot: QtBot) -> None:
    for field in (TextField(theme, "Name"), TextArea(theme, "Prompt")):
        shown(field, qtbot)
        before = field.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
        left, size = before.topLeft(), field.size()
        field.setFocus()
        QApplication.processEvents()
        after = field.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
        assert (after.topLeft(), field.size()) == (left, size)


def test_the_hint_of_a_search_leaves_when_it_is_used(theme: Theme, qtbot: QtBot) -> None:
    plain, hinted = SearchField(theme, "Search chats"), SearchField(theme, "Search chats", "Ctrl K")
    for field in (plain, hinted):
        shown(field, qtbot)
        field.setFixedWidth(240)
    assert plain.grab().toImage() != hinted.grab().toImage()
    plain.setText("tides")
    hinted.setText("tides")
    assert plain.grab().toImage() == hinted.grab().toImage()


def test_tab_leaves_a_text_area(theme: Theme, qtbot: QtBot) -> None:
    area = TextArea(theme, "System prompt")
    shown(area, qtbot)
    area.setFocus()
    qtbot.keyClick(area, Qt.Key.Key_Tab)
    assert not area.hasFocus()
    assert area.toPlainText() == ""


def test_a_number_is_reported_when_it_is_complete(theme: Theme, qtbot: QtBot) -> None:
    field = NumberField(theme, "Top-k", maximum=200)
    shown(field, qtbot)
    seen: list[float] = []
    field.valueChanged.connect(seen.append)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "120")
    assert seen == []
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert seen == [120]


def test_the_smallest_number_can_stand_for_words(theme: Theme, qtbot: QtBot) -> None:
    field = NumberField(theme, "Seed", minimum=-1, maximum=2**31 - 1, special="Random")
    shown(field, qtbot)
    field.setValue(-1)
    assert field.text() == "Random"
    field.setValue(2**31 - 1)
    assert field.value() == 2**31 - 1


def make_combo(theme: Theme) -> ComboBox:
    combo = ComboBox(theme, "Theme", [("System", "system"), ("Light", "light"), ("Dark", "dark")])
    combo.select("light")
    return combo


def test_a_combo_selects_by_data(theme: Theme, qtbot: QtBot) -> None:
    combo = make_combo(theme)
    shown(combo, qtbot)
    combo.select("dark")
    assert combo.currentText() == "Dark"


def test_a_combo_rings_for_the_keyboard_only(theme: Theme, qtbot: QtBot) -> None:
    combo = make_combo(theme)
    shown(combo, qtbot)
    ring = theme.color("ring").name()
    combo.setFocus(Qt.FocusReason.MouseFocusReason)
    assert ring not in pixels(combo)
    combo.clearFocus()
    combo.setFocus(Qt.FocusReason.TabFocusReason)
    assert ring in pixels(combo)


def test_an_open_combo_tints_its_current_item(theme: Theme, qtbot: QtBot) -> None:
    combo = make_combo(theme)
    shown(combo, qtbot)
    combo.showPopup()
    qtbot.waitUntil(combo.view().isVisible)
    tinted = pixels(combo.view())
    combo.hidePopup()
    assert theme.color("selected").name() in tinted
    assert theme.color("accent").name() not in tinted
