"""The adapters of a chat in the inspector."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QListView

from app.options.adapter_stack import StackedAdapter, parse_stack, stack_text
from tests.ui.tab_order import tab_stops
from ui.chat.adapters.adapter_list import AdapterList
from ui.chat.adapters.adapter_popup import AdapterPopup
from ui.chat.adapters.adapter_row import AdapterRow
from ui.chat.adapters.adapters_section import AdaptersSection
from ui.chat.adapters.offers import AdapterOffer
from ui.kit import Button, IconButton, NumberField, SearchField, Slider

TERSE = AdapterOffer("terse", "terse-writer", 18_000_000, trigger_words="Answer tersely:")
TUTOR = AdapterOffer("tutor", "python-tutor", 22_000_000)
POET = AdapterOffer("poet", "gemma-poet", 9_000_000, fits=False, reason="It is made for gemma3.")


@pytest.fixture
def section(qtbot, theme):
    section = AdaptersSection(theme)
    qtbot.addWidget(section)
    section.resize(280, 400)
    section.show_offers([POET, TERSE, TUTOR])
    section.show()
    return section


@pytest.fixture
def told(section) -> list[tuple[StackedAdapter, ...]]:
    seen: list[tuple[StackedAdapter, ...]] = []
    section.changed.connect(lambda text: seen.append(parse_stack(text)))
    return seen


def show(section: AdaptersSection, *stack: StackedAdapter) -> None:
    section.show_text(stack_text(stack))


def row(section: AdaptersSection, adapter_id: str) -> AdapterRow:
    return next(x for x in section.findChildren(AdapterRow) if x.adapter_id == adapter_id)


def button(widget, name: str):
    return next(
        each
        for kind in (Button, IconButton)
        for each in widget.findChildren(kind)
        if each.accessibleName() == name
    )


def order(section: AdaptersSection) -> list[str]:
    rows = [x for x in section.findChildren(AdapterRow) if x.isVisible()]
    return [x.adapter_id for x in sorted(rows, key=lambda x: x.mapTo(section, QPoint()).y())]


def words(widget) -> str:
    return " ".join(x.text() for x in widget.findChildren(QLabel) if x.isVisibleTo(widget))


def test_a_stack_is_shown_in_its_order_and_not_reported(section, told):
    show(section, StackedAdapter("tutor", 0.5, muted=True), StackedAdapter("terse", 0.8))
    QApplication.processEvents()
    assert order(section) == ["tutor", "terse"]
    assert row(section, "terse").title == "terse-writer"
    assert row(section, "terse").findChild(NumberField).value() == 0.8
    assert row(section, "terse").findChild(Slider).number == pytest.approx(0.8)
    assert section.acting == 1
    assert told == []


def test_every_control_has_a_name_and_tab_follows_the_eye(section):
    show(section, StackedAdapter("tutor", 0.5), StackedAdapter("terse", 0.8))
    show(section, StackedAdapter("terse", 0.8), StackedAdapter("tutor", 0.5))
    QApplication.processEvents()
    stops = [stop for stop in tab_stops(section) if stop.focusProxy() is None]
    assert all(stop.accessibleName() for stop in stops)
    places = [
        (stop.mapTo(section, stop.rect().center()).y() // 8, stop.mapTo(section, QPoint()).x())
        for stop in stops
    ]
    assert len(stops) == 14
    assert places == sorted(places)


def test_the_strength_is_reported_once_when_the_slider_rests(qtbot, section, told):
    show(section, StackedAdapter("terse"))
    slider = row(section, "terse").findChild(Slider)
    for _ in range(4):
        qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert told == []
    show(section, StackedAdapter("terse"))  # what another setting brought back meanwhile
    qtbot.waitUntil(lambda: told == [(StackedAdapter("terse", 0.8),)])
    assert row(section, "terse").findChild(NumberField).value() == 0.8


def test_what_waits_is_reported_before_another_chat_is_shown(qtbot, section, told):
    show(section, StackedAdapter("terse"))
    qtbot.keyClick(row(section, "terse").findChild(Slider), Qt.Key.Key_Right)
    section.flush()
    show(section)
    assert told == [(StackedAdapter("terse", 1.05),)]
    assert section.stack == ()


def test_the_slider_goes_from_minus_two_to_two_and_back_to_one(qtbot, section, told):
    show(section, StackedAdapter("terse"))
    slider = row(section, "terse").findChild(Slider)
    reset = button(section, "Reset terse-writer to 1")
    assert not reset.isVisible()
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert slider.number == -2
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert slider.number == 2
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    section.flush()
    assert told == [(StackedAdapter("terse", 1.0),)]


def test_a_muted_adapter_keeps_its_strength(qtbot, section, told):
    show(section, StackedAdapter("terse", 0.8))
    qtbot.mouseClick(button(section, "Mute terse-writer"), Qt.MouseButton.LeftButton)
    assert told == [(StackedAdapter("terse", 0.8, muted=True),)]
    qtbot.mouseClick(button(section, "Let terse-writer act again"), Qt.MouseButton.LeftButton)
    assert told[-1] == (StackedAdapter("terse", 0.8),)


def test_removing_leaves_the_focus_in_the_section(qtbot, section, told):
    show(section, StackedAdapter("terse"), StackedAdapter("tutor"))
    section.activateWindow()
    qtbot.mouseClick(button(section, "Remove terse-writer"), Qt.MouseButton.LeftButton)
    assert told == [(StackedAdapter("tutor"),)]
    assert section.focusWidget() is row(section, "tutor").findChild(Slider)
    qtbot.mouseClick(button(section, "Remove python-tutor"), Qt.MouseButton.LeftButton)
    assert told[-1] == ()
    assert section.focusWidget() is button(section, "Add adapter")


def test_the_order_changes_with_the_keys(qtbot, section, told):
    show(section, StackedAdapter("terse"), StackedAdapter("tutor"))
    slider = row(section, "tutor").findChild(Slider)
    qtbot.keyClick(slider, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert told == [(StackedAdapter("tutor"), StackedAdapter("terse"))]
    assert slider.number == 1  # the arrow alone would have moved it
    QApplication.processEvents()
    assert order(section) == ["tutor", "terse"]


def test_the_order_changes_with_the_menu(section, told):
    show(section, StackedAdapter("terse"), StackedAdapter("tutor"))
    up, down = row(section, "terse")._menu.actions()
    assert (up.isEnabled(), down.isEnabled()) == (False, True)
    down.trigger()
    assert told == [(StackedAdapter("tutor"), StackedAdapter("terse"))]


def test_what_is_gone_or_does_not_fit_is_shown_as_left_out(section):
    show(section, StackedAdapter("gone"), StackedAdapter("poet"), StackedAdapter("terse"))
    assert "Left out: it is no longer installed." in words(row(section, "gone"))
    assert "It is made for gemma3." in words(row(section, "poet"))
    assert not row(section, "poet").findChild(Slider).isVisible()
    assert section.acting == 1


def test_nothing_is_said_to_be_gone_before_that_is_known(section):
    section.show_offers(None)
    show(section, StackedAdapter("terse"))
    assert "Left out" not in words(section)
    assert not button(section, "Add adapter").isEnabled()


def test_trigger_words_go_into_the_message(qtbot, section):
    show(section, StackedAdapter("terse"))
    with qtbot.waitSignal(section.words_chosen) as chosen:
        qtbot.mouseClick(button(section, "Write “Answer tersely:”"), Qt.MouseButton.LeftButton)
    assert chosen.args == ["Answer tersely:"]


def test_the_popup_lists_those_that_fit_first_and_chooses_no_other(qtbot, section, told):
    show(section, StackedAdapter("tutor"))
    with qtbot.waitSignal(section.offers_wanted):
        qtbot.mouseClick(button(section, "Add adapter"), Qt.MouseButton.LeftButton)
    popup = section.findChild(AdapterPopup)
    view, search = popup.findChild(QListView), popup.findChild(SearchField)
    adapters = view.model()
    assert [adapters.index(n).data() for n in range(adapters.rowCount())] == [
        "terse-writer",
        "gemma-poet",
    ]
    spoken = adapters.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "gemma-poet, 9 MB, It is made for gemma3."
    qtbot.keyClick(search, Qt.Key.Key_Down)
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert popup.isVisible()
    assert told == []
    qtbot.keyClick(search, Qt.Key.Key_Up)
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert not popup.isVisible()
    assert told == [(StackedAdapter("tutor"), StackedAdapter("terse"))]


def test_words_narrow_the_list(theme):
    adapters = AdapterList()
    adapters.show_offers([POET, TERSE, TUTOR])
    adapters.search("WRI")
    assert adapters.rowCount() == 1
    adapters.deleteLater()


def test_without_any_adapter_the_section_leads_to_some(qtbot, section):
    section.show_offers([])
    assert "An adapter is a small file" in words(section)
    assert not button(section, "Add adapter").isVisible()
    with qtbot.waitSignal(section.find_requested):
        qtbot.mouseClick(button(section, "Find adapters"), Qt.MouseButton.LeftButton)


def test_a_stack_that_was_damaged_by_hand_is_none(section):
    section.show_text('[{"adapter": 3}]')
    assert section.stack == ()
