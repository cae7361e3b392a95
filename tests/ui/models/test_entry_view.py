"""Lists inside a page that scrolls: the page scrolls, and the list stands still in it."""

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.models.discover_world import ENTRIES, entry
from ui.models.discover_entries import EntryFacts
from ui.models.entry_card import ENTRY_ROLE, CardGrid
from ui.models.entry_view import StillView
from ui.models.road import Road
from ui.theme import Theme


def cards(theme: Theme) -> CardGrid:
    grid = CardGrid(theme, "Good here", EntryFacts, rows=3)
    grid.show_entries([entry(f"Bird {number}") for number in range(12)])
    return grid


def road(theme: Theme) -> Road:
    view = Road(theme, "The road", EntryFacts)
    view.show_entries([each for each in ENTRIES if each.collection == "road"])
    return view


@pytest.mark.parametrize("make", [cards, road])
def test_its_first_row_is_whole_wherever_the_current_one_is(
    theme: Theme, qtbot: QtBot, make: object
) -> None:
    view: StillView = make(theme)  # type: ignore[operator]
    qtbot.addWidget(view)
    view.resize(920, view.height())
    view.show()
    # As when a click opens the details at the side, which takes a third of the width.
    view.resize(560, view.height())
    last = view.model().index(view.model().rowCount() - 1, 0)
    view.setCurrentIndex(last)
    view.scrollTo(last)
    assert view.visualRect(view.model().index(0, 0)).top() == 0


def test_the_marked_card_stays_when_the_details_take_columns_away(
    theme: Theme, qtbot: QtBot
) -> None:
    grid = cards(theme)
    qtbot.addWidget(grid)
    grid.resize(920, grid.height())
    grid.show()
    last = grid.cards.rowCount() - 1
    marked = grid.cards.index(last, 0).data(ENTRY_ROLE)
    grid.mark(marked.id)
    grid.resize(560, grid.height())
    assert grid.columns == 2
    assert grid.cards.row_of(marked.id) == last
    assert grid.selectionModel().isSelected(grid.cards.index(last, 0))
