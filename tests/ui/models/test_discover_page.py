import threading
from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.installs import request_for
from catalog.errors import CatalogError
from tests.ui.models.discover_world import (
    ALBATROSS,
    COLLECTIONS,
    ENTRIES,
    GB,
    OLD_7B,
    OLD_65B,
    PLOVER,
    RAW,
    TERN,
    ScriptedHub,
    SizeFits,
    download,
    entry,
    found,
    installed,
    machine,
)
from tests.ui.tab_order import names, tab_stops
from ui.background import Background
from ui.kit import Button, SearchField
from ui.kit.filter_chip import FilterChip
from ui.models.discover_page import DiscoverPage
from ui.models.discover_results import ResultsView
from ui.models.discover_sections import DiscoverSections, Section
from ui.theme import Theme


@pytest.fixture
def hub() -> ScriptedHub:
    return ScriptedHub([found("heron", 7), found("whale", 400)])


@pytest.fixture
def page(theme: Theme, qtbot: QtBot, hub: ScriptedHub) -> Iterator[DiscoverPage]:
    background = Background()
    page = DiscoverPage(theme, background, hub, SizeFits())
    qtbot.addWidget(page)
    page.resize(640, 700)
    page.show()
    page.show_entries(ENTRIES, COLLECTIONS)
    page.show_machine(machine())
    qtbot.waitUntil(lambda: "See all 3 of “Good on this computer”" in shown_buttons(page))
    yield page
    page.search_for("")
    assert background.finish(60_000)


def shown_buttons(page: DiscoverPage) -> list[str]:
    return [each.accessibleName() for each in page.findChildren(Button) if each.isVisible()]


def section(page: DiscoverPage, title: str) -> Section:
    sections = page.findChild(DiscoverSections).findChildren(Section)
    return next(each for each in sections if each.collection.title == title)


def rows(view, role=Qt.ItemDataRole.AccessibleTextRole) -> list[str]:
    model = view.model()
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def titles(view) -> list[str]:
    return rows(view, Qt.ItemDataRole.DisplayRole)


def results(page: DiscoverPage) -> ResultsView:
    return page.findChild(ResultsView)


def result_names(page: DiscoverPage) -> list[str]:
    return [words.split(". ")[0] for words in rows(results(page))]


def type_words(page: DiscoverPage, words: str) -> None:
    field = page.findChild(SearchField)
    field.setFocus()
    field.clear()
    QTest.keyClicks(field, words)


def chip(page: DiscoverPage, words: str) -> FilterChip:
    return next(each for each in page.findChildren(FilterChip) if each.text() == words)


def row_of(page: DiscoverPage, beginning: str) -> QModelIndex:
    view = results(page)
    for place, words in enumerate(rows(view)):
        if words.startswith(beginning):
            return view.model().index(place, 0)
    raise AssertionError(f"no row begins with {beginning!r}: {rows(view)}")


def click(page: DiscoverPage, beginning: str, qtbot: QtBot) -> None:
    view, index = results(page), row_of(page, beginning)
    view.scrollTo(index)
    place = view.visualRect(index).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_good_here_is_what_fits_with_the_largest_first_and_without_history(page):
    assert titles(section(page, "Good on this computer").view) == ["Plover", "Terms", "Tern"]


def test_nothing_that_fits_is_said_in_words(page, qtbot):
    fits = SizeFits(free=GB // 10)
    page._entries._fitting = fits
    page.show_machine(machine(free=GB // 10))
    good = section(page, "Good on this computer")
    qtbot.waitUntil(lambda: good.view.model().rowCount() == 0)
    assert "Nothing in the catalogue fits" in good._waiting


def test_a_collection_shows_all_of_its_entries_and_how_they_fit(page):
    small = rows(section(page, "Small ones").view)
    assert small[0] == "Plover. What Plover is. 4.70 GB. MIT. Fits"
    assert "Albatross. What Albatross is. 40 GB. too large. MIT. Too large" in small


def test_a_road_has_a_stop_for_each_family_in_order_of_time(page):
    road = rows(section(page, "The road").view)
    assert road == [
        "24 Feb. Old. Small does. from 4.0 GB",
        "28 Mar. Raw. All was open: even the recipe. to convert",
    ]


def test_a_stop_opens_the_largest_of_the_family_that_fits(page, qtbot):
    view = section(page, "The road").view
    with qtbot.waitSignal(page.subject_chosen) as chosen:
        view.opened.emit(view.model().index(0, 0))
    assert chosen.args == [OLD_7B]


def test_what_is_installed_or_on_its_way_is_marked(page):
    page.show_installed([installed(PLOVER)])
    request = request_for(TERN, TERN.artifacts[0])
    page.show_downloads([download(request, done=GB, total=4 * GB)])
    small = rows(section(page, "Small ones").view)
    assert small[0].endswith("Installed")
    assert small[1].endswith("Downloading 25 %")


def test_typing_filters_the_catalogue_and_asks_the_hub_below(page, qtbot, hub):
    type_words(page, "plov")
    qtbot.waitUntil(lambda: "From Hugging Face" in result_names(page))
    assert result_names(page)[:2] == ["In the catalogue", "Plover"]
    qtbot.waitUntil(lambda: "heron" in result_names(page))
    assert [query.text for query, _ in hub.queries] == ["plov"]


def test_what_does_not_fit_is_left_out_and_one_press_away(page, qtbot):
    type_words(page, "what")
    qtbot.waitUntil(lambda: "heron" in result_names(page))
    assert "Albatross" not in result_names(page)
    assert "whale" not in result_names(page)
    click(page, "2 more don't fit this computer.", qtbot)
    qtbot.waitUntil(lambda: "Albatross" in result_names(page))
    assert not chip(page, "Fits this computer").isChecked()
    qtbot.waitUntil(lambda: "whale" in result_names(page))


def test_chips_narrow_by_what_a_model_can_do(page, qtbot):
    qtbot.mouseClick(chip(page, "Reasoning"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Plover" in result_names(page))
    assert "Tern" not in result_names(page)
    qtbot.mouseClick(chip(page, "Reasoning"), Qt.MouseButton.LeftButton)
    assert not results(page).isVisible()


def test_repositories_of_the_hub_are_narrowed_by_their_tags(page, qtbot, hub):
    hub.pages = ([found("plain"), found("seeing", tags=("image-text-to-text",))],)
    qtbot.mouseClick(chip(page, "Vision"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "seeing" in result_names(page))
    assert "plain" not in result_names(page)


def test_a_hub_that_can_not_be_reached_is_said_with_a_way_to_try_again(page, qtbot, hub):
    hub.problem = CatalogError("The Hub can't be reached.", "There is no network.", "Connect.")
    type_words(page, "plov")
    qtbot.waitUntil(lambda: any(row.startswith("The Hub can't") for row in rows(results(page))))
    assert "Plover" in result_names(page)
    assert "There is no network. Connect. Try again" in row_of(page, "The Hub can't").data()
    hub.problem = None
    click(page, "The Hub can't be reached.", qtbot)
    qtbot.waitUntil(lambda: "heron" in result_names(page))


def test_staying_offline_is_no_failure_and_ends_with_the_search_done(page, qtbot, hub):
    page.show_offline(True)
    hub.problem = CatalogError("Causeway is set to stay offline.")
    type_words(page, "plov")
    qtbot.waitUntil(lambda: any("stays offline" in row for row in rows(results(page))))
    with qtbot.waitSignal(page.settings_requested) as asked:
        click(page, "Causeway stays offline", qtbot)
    assert asked.args == ["network"]
    hub.problem = None
    page.show_offline(False)
    qtbot.waitUntil(lambda: "heron" in result_names(page))


def test_no_results_says_what_to_do(page, qtbot, hub):
    hub.pages = ((),)
    chip(page, "Small").setChecked(True)
    type_words(page, "zzz")
    qtbot.waitUntil(lambda: any("Nothing on Hugging Face" in row for row in rows(results(page))))
    click(page, "Nothing on Hugging Face", qtbot)
    assert not chip(page, "Small").isChecked()
    assert page.findChild(SearchField).text() == "zzz"


def test_further_pages_load_as_the_end_comes_into_sight(page, qtbot, hub):
    hub.pages = tuple([found(f"bird-{number}-{place}") for place in range(30)] for number in (1, 2))
    type_words(page, "bird")
    qtbot.waitUntil(lambda: "bird-1-29" in result_names(page))
    qtbot.wait(50)
    assert len(hub.queries) == 1
    results(page).scrollToBottom()
    qtbot.waitUntil(lambda: "bird-2-29" in result_names(page))


def test_pages_of_which_nothing_is_wanted_are_not_fetched_for_ever(page, qtbot, hub):
    hub.pages = tuple([found(f"whale-{number}", 400)] for number in range(40))
    type_words(page, "whale")
    qtbot.waitUntil(lambda: any("Look further" in row for row in rows(results(page))))
    asked = len(hub.queries)
    assert asked < 10
    click(page, "The filters leave out", qtbot)
    qtbot.waitUntil(lambda: len(hub.queries) > asked)
    qtbot.waitUntil(lambda: any("Look further" in row for row in rows(results(page))))
    assert len(hub.queries) < 20


def test_results_of_an_earlier_search_are_never_shown(page, qtbot, hub):
    held = threading.Event()
    hub.gate = lambda query: held if query.text == "slow" else None
    type_words(page, "slow")
    qtbot.waitUntil(lambda: len(hub.queries) == 1)
    type_words(page, "quick")
    qtbot.waitUntil(lambda: "heron" in result_names(page))
    hub.pages = ([found("stale")],)
    held.set()
    qtbot.wait(100)
    assert "stale" not in result_names(page)


def test_a_row_opens_by_click_and_by_enter(page, qtbot):
    type_words(page, "plov")
    qtbot.waitUntil(lambda: "heron" in result_names(page))
    with qtbot.waitSignal(page.subject_chosen) as chosen:
        click(page, "Plover", qtbot)
    assert chosen.args == [PLOVER]
    view = results(page)
    view.setCurrentIndex(row_of(page, "heron"))
    with qtbot.waitSignal(page.subject_chosen) as chosen:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert chosen.args == [found("heron", 7)]


def test_the_keys_lead_from_the_field_into_the_list_and_back(page, qtbot):
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    type_words(page, "plov")
    qtbot.waitUntil(lambda: any(name.startswith("Plover") for name in result_names(page)))
    field = page.findChild(SearchField)
    QTest.keyClick(field, Qt.Key.Key_Down)
    view = results(page)
    assert view.hasFocus()
    assert view.currentIndex().data().startswith("Plover")
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert field.hasFocus()
    assert field.text() == ""
    assert not view.isVisible()


def test_the_arrows_go_from_one_section_to_the_next(page, qtbot):
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    QTest.keyClick(page.findChild(SearchField), Qt.Key.Key_Down)
    good = section(page, "Good on this computer").view
    assert good.hasFocus()
    for _ in range(3):
        QTest.keyClick(good, Qt.Key.Key_Down)
    road = section(page, "The road").view
    assert road.hasFocus()
    QTest.keyClick(road, Qt.Key.Key_Up)
    assert good.hasFocus()


def test_a_collection_can_be_gone_to_and_seen_whole(page, qtbot):
    page.resize(640, 300)
    page.show_collection("small")
    small = section(page, "Small ones")
    viewport = page.findChild(DiscoverSections).viewport()
    assert viewport.rect().contains(small.mapTo(viewport, small.rect().topLeft()))
    see_all = next(
        button for button in small.findChildren(Button) if button.text().startswith("See all")
    )
    qtbot.mouseClick(see_all, Qt.MouseButton.LeftButton)
    assert result_names(page) == ["Plover", "Tern", "Albatross", "Terms"]


def test_a_source_can_be_listed_alone(page, qtbot, hub):
    page.show_source("catalogue")
    assert result_names(page) == [each.name for each in ENTRIES]
    assert hub.queries == []
    page.show_source("hub")
    qtbot.waitUntil(lambda: result_names(page) == ["heron", "whale"])
    assert hub.queries[0][0].text == ""


def test_an_added_catalogue_is_listed_by_itself_under_its_title(page, qtbot, hub):
    lab = msgspec.structs.replace(PLOVER, id="lab/plover", name="Lab plover")
    page.show_entries([*ENTRIES, lab], COLLECTIONS)
    page.show_catalogue("lab", "The lab's models")
    qtbot.waitUntil(lambda: result_names(page) == ["Lab plover"])
    titles = [label.text() for label in page.findChildren(QLabel) if label.isVisible()]
    assert "The lab's models" in titles
    page.show_source("catalogue")
    assert len(result_names(page)) == len(ENTRIES) + 1


def test_an_owner_before_a_slash_is_asked_for_as_such(page, qtbot, hub):
    page.search_for("maker/heron")
    qtbot.waitUntil(lambda: bool(hub.queries))
    query = hub.queries[0][0]
    assert (query.author, query.text) == ("maker", "heron")


def test_a_little_more_memory_moves_no_cards(page, qtbot):
    fits = SizeFits(free=GB // 10)
    page._entries._fitting = fits
    page.show_machine(machine(free=10 * GB - 10_000_000))
    qtbot.wait(100)
    assert titles(section(page, "Good on this computer").view) == ["Plover", "Terms", "Tern"]


def test_what_is_open_at_the_side_is_marked_wherever_it_is_listed(page, qtbot):
    page.mark(PLOVER)
    for title in ("Good on this computer", "Small ones"):
        view = section(page, title).view
        assert [index.data() for index in view.selectedIndexes()] == ["Plover"]
    page.mark(OLD_65B)
    assert [index.data() for index in section(page, "The road").view.selectedIndexes()] == ["Old"]
    page.mark(None)
    assert not section(page, "The road").view.selectedIndexes()


def test_the_mark_stays_when_the_columns_become_more_or_fewer(page, qtbot):
    page.mark(PLOVER)
    good = section(page, "Good on this computer").view
    for width, columns in ((1000, 3), (400, 1), (640, 2)):
        page.resize(width, 700)
        qtbot.waitUntil(lambda columns=columns: good.columns == columns)
        assert [index.data() for index in good.selectedIndexes()] == ["Plover"]


def test_the_tab_key_stops_once_in_each_section(page):
    stops = [stop for stop in names(tab_stops(page)) if stop]
    assert stops == [
        "Search the catalogue and Hugging Face",
        "Fits this computer",
        "Small",
        "Reasoning",
        "Vision",
        "Embedding",
        "Adapters",
        "See all 3 of “Good on this computer”",
        "Good on this computer",
        "See all 3 of “The road”",
        "The road",
        "See all 4 of “Small ones”",
        "Small ones",
    ]


def test_a_hostile_text_is_shown_as_plain_text(page):
    for label in page.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText


def test_nothing_of_what_can_not_be_run_is_called_good(page):
    good = titles(section(page, "Good on this computer").view)
    assert RAW.name not in good
    assert ALBATROSS.name not in good


def test_of_a_large_catalogue_the_first_are_shown_and_more_on_request(page, qtbot):
    many = tuple(entry(f"Bird {number}", (1.0,)) for number in range(200))
    page.show_entries(many, COLLECTIONS)
    qtbot.waitUntil(lambda: len(section(page, "Good on this computer").view._entries) == 200)
    type_words(page, "bird")
    qtbot.waitUntil(lambda: "140 more in the catalogue Show more" in rows(results(page)))
    click(page, "140 more in the catalogue", qtbot)
    assert len([name for name in result_names(page) if name.startswith("Bird")]) == 200
