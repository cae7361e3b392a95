"""How sure the model was: the heat of an answer, its legend, and a token's own words."""

import math
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from backends.protocol import TokenLogprob
from tests.ui.colors import contrast
from tests.ui.tab_order import names, tab_stops
from ui.chat.details_dialog import DetailsDialog
from ui.chat.probabilities.heat import STEPS, percent, step_color, step_of, token_words
from ui.chat.probabilities.heat_view import MOST_TOKENS, HeatView
from ui.chat.probabilities.probabilities import Probabilities
from ui.theme import Theme


def token(text: str, likelihood: float, **others: float) -> TokenLogprob:
    top = tuple((name, math.log(value)) for name, value in others.items())
    return TokenLogprob(text, math.log(likelihood), top)


TOKENS = (token("Two", 0.95), token(" thin", 0.3, wide=0.6), token(" lines", 0.05), token(".\n", 1))


@pytest.fixture
def view(qtbot, theme):
    view = HeatView(theme, TOKENS)
    qtbot.addWidget(view)
    view.resize(400, 200)
    view.show()
    return view


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "100 %"), (0.832, "83.2 %"), (0.0004, "< 0.1 %"), (0.9999, "100 %")],
)
def test_a_probability_in_words(value: float, words: str) -> None:
    assert percent(math.log(value)) == words


@pytest.mark.parametrize("value", [-math.inf, math.nan, 3.0, -1e308])
def test_no_logarithm_is_too_strange(value: float) -> None:
    assert 0 <= step_of(value) < len(STEPS)
    assert percent(value)


def test_a_token_tells_what_could_have_stood_there() -> None:
    words = token_words(token(" thin", 0.3, wide=0.6, thin=0.1))
    assert words == "“\u00a0thin” with 30.0 %. Instead: “wide” 60.0 %, “thin” 10.0 %."


def test_what_can_not_be_seen_has_a_mark() -> None:
    assert token_words(token("a\n\t\x00\u202e", 1)).startswith("“a↵⇥��”")


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_step_can_be_read_and_told_from_the_next(qapp, name):
    theme = Theme(name)
    grounds = [step_color(theme, step, "raised") for step in range(len(STEPS))]
    assert all(contrast(theme.color("text"), ground) >= 4.5 for ground in grounds)
    for one, other in pairwise(grounds):
        assert contrast(one, other) >= 1.07
    theme.deleteLater()


def test_each_token_has_the_ground_of_its_probability(view, theme):
    cursor = view.textCursor()
    seen = []
    for position in (2, 6, 12):
        cursor.setPosition(position)
        seen.append(cursor.charFormat().background())
    assert seen[0].style() == Qt.BrushStyle.NoBrush
    assert seen[1].color() == step_color(theme, step_of(math.log(0.3)), "raised")
    assert seen[2].color() == step_color(theme, step_of(math.log(0.05)), "raised")


def test_the_arrow_keys_go_from_token_to_token(qtbot, view):
    told: list[str] = []
    view.pointed_at.connect(told.append)
    view.activateWindow()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.current == 1
    assert view.accessibleDescription() == told[-1] == token_words(TOKENS[1])
    for _ in range(9):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.current == 3
    for _ in range(9):
        qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.current == 0


def test_the_pointer_points_at_the_token_under_it(view):
    for index, character in ((0, 1), (1, 5), (2, 9)):
        cursor = view.textCursor()
        cursor.setPosition(character)
        place = view.cursorRect(cursor).center()
        for offset in (1, 3):
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
            assert view.current == index, offset
            place.setX(place.x() + 2)


def test_a_long_answer_is_bounded(qtbot, theme):
    panel = Probabilities(theme, [token(" x", 0.5)] * (MOST_TOKENS + 500))
    qtbot.addWidget(panel)
    words = " ".join(label.text() for label in panel.findChildren(QLabel))
    assert f"The first {MOST_TOKENS:,} are shown." in words
    assert panel.findChild(HeatView).document().characterCount() <= 2 * MOST_TOKENS + 1


def test_a_change_of_theme_keeps_the_token(view, theme):
    view.go_to(2)
    before = view.grab().toImage()
    theme.set_preference("dark")
    assert view.current == 2
    assert view.grab().toImage() != before
    theme.set_preference("light")


def test_the_dialog_has_the_heat_where_it_was_kept(qtbot, theme):
    rows = [("Model", "SmolLM3-3B")]
    with_heat, without = DetailsDialog(theme, rows, TOKENS), DetailsDialog(theme, rows)
    for dialog in (with_heat, without):
        qtbot.addWidget(dialog)
    assert "The answer, token by token" in names(tab_stops(with_heat))
    assert not without.findChildren(HeatView)
    view = with_heat.findChild(HeatView)
    view.go_to(1)
    words = " ".join(label.text() for label in with_heat.findChildren(QLabel))
    assert token_words(TOKENS[1]) in words


def test_the_dialog_opens_with_the_focus_on_what_closes_it(qtbot, theme):
    dialog = DetailsDialog(theme, [("Model", "SmolLM3-3B")], TOKENS)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.focusWidget().accessibleName() == "Close"
