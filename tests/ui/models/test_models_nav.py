import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.machine import Machine
from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.catalogues import KnownCatalogue
from catalog.fit.fit import Memory
from tests.ui.models.installed import model
from tests.ui.tab_order import names, tab_stops
from ui.kit import NavItem
from ui.models.models_nav import ModelsNav, NavPlace
from ui.models.nav_places import collection_places, source_places
from ui.models.side_place import SidePlace
from ui.theme import Theme

BUNDLED = load_bundled()


@pytest.fixture
def nav(theme: Theme, qtbot: QtBot) -> ModelsNav:
    nav = ModelsNav(theme)
    qtbot.addWidget(nav)
    nav.resize(260, 800)
    nav.show_places(
        [NavPlace("good", "Good on this computer"), NavPlace("collection:road", "The open road")],
        [NavPlace("source:catalogue", "Causeway catalogue", 86), NavPlace("source:hub", "The Hub")],
    )
    nav.show()
    return nav


def items(nav: QWidget) -> list[str]:
    return [item.accessibleName() for item in nav.findChildren(NavItem) if item.isVisible()]


def item(nav: QWidget, name: str) -> NavItem:
    QApplication.processEvents()  # a layout shows what is put into it with the next event
    return next(i for i in nav.findChildren(NavItem) if i.isVisible() and i.text() == name)


def test_each_place_says_how_much_is_there(nav: ModelsNav) -> None:
    nav.show_counts(models=9, adapters=0, downloads=2)
    nav.show_services(1)
    assert items(nav) == [
        "Discover",
        "On this computer, 9",
        "Adapters, 0",
        "Downloads, 2",
        "Services, 1",
        "Good on this computer",
        "The open road",
        "Causeway catalogue, 86",
        "The Hub",
    ]


def test_places_are_walked_with_the_keyboard(nav: ModelsNav, qtbot: QtBot) -> None:
    nav.activateWindow()
    qtbot.waitUntil(nav.isActiveWindow)
    assert names(tab_stops(nav)) == ["Add a model file", "Discover"]
    nav.take_focus()
    with qtbot.waitSignal(nav.place_chosen) as chosen:
        qtbot.keyClick(nav.focusWidget(), Qt.Key.Key_Down)
    assert chosen.args == ["installed"]
    assert nav.here == "installed"


def test_the_mark_stays_when_the_sources_change(nav: ModelsNav, qtbot: QtBot) -> None:
    qtbot.mouseClick(item(nav, "The open road"), Qt.MouseButton.LeftButton)
    assert nav.here == "collection:road"
    road = NavPlace("collection:road", "The open road")
    nav.show_places([road], [NavPlace("place:ollama", "Ollama folder", 3)])
    assert item(nav, "The open road").isChecked()
    nav.show_places([], [])
    assert nav.here == "discover"
    assert item(nav, "Discover").isChecked()


def test_a_count_changes_in_place(nav: ModelsNav) -> None:
    before = nav.findChildren(NavItem)
    nav.show_places(
        [NavPlace("good", "Good on this computer"), NavPlace("collection:road", "The open road")],
        [NavPlace("source:catalogue", "Causeway catalogue", 87), NavPlace("source:hub", "The Hub")],
    )
    assert nav.findChildren(NavItem) == before
    assert "Causeway catalogue, 87" in items(nav)


def test_this_computer_is_told_in_words(nav: ModelsNav) -> None:
    memory = Memory(free=9_800_000_000, total=16_000_000_000)
    nav.show_machine(Machine(memory=memory, cores=8, disk_free=128_000_000_000))
    words = [label.text() for label in nav.findChildren(QLabel)]
    assert "9.8 of 16 GB free" in words
    assert "8 cores · no GPU · 128 GB of disk free" in words
    nav.show_machine(Machine(memory=memory, cores=1, device="RTX 4090", disk_free=0))
    assert "1 core · RTX 4090 · 0 bytes of disk free" in [
        label.text() for label in nav.findChildren(QLabel)
    ]


def test_sources_are_the_catalogues_the_hub_and_folders_of_others() -> None:
    known = (
        KnownCatalogue(address="", catalogue=BUNDLED),
        KnownCatalogue(address="https://models.example/c.json"),
    )
    models = [model("A"), model("B", place="ollama"), model("C", place="ollama")]
    assert source_places(known, models) == (
        NavPlace("source:catalogue", "Causeway catalogue", len(BUNDLED.entries)),
        NavPlace("source:hub", "Hugging Face"),
        NavPlace("place:ollama", "Ollama folder", 2),
    )
    titles = [place.title for place in collection_places(BUNDLED.collections)]
    assert titles[:2] == ["Good on this computer", "The open road, 2023"]


@pytest.mark.parametrize(("width", "page_width"), [(964, 604), (708, 708)])
def test_a_panel_lies_beside_the_page_or_over_it(
    theme: Theme, qtbot: QtBot, width: int, page_width: int
) -> None:
    place = SidePlace()
    qtbot.addWidget(place)
    panel = QWidget()
    place.side.addWidget(panel)
    place.pages.addWidget(QWidget())
    place.resize(width, 700)
    place.show()
    place.open(panel)
    assert place.pages.width() == page_width
    assert place.side.geometry().right() == width - 1
    place.close_side()
    assert place.pages.width() == width


def test_esc_closes_the_panel(theme: Theme, qtbot: QtBot) -> None:
    place = SidePlace()
    qtbot.addWidget(place)
    panel = QWidget()
    place.side.addWidget(panel)
    place.resize(964, 700)
    place.show()
    place.open(panel)
    with qtbot.waitSignal(place.closed) as closed:
        qtbot.keyClick(place, Qt.Key.Key_Escape)
    assert closed.args == [False]
    assert not place.is_open
    with qtbot.assertNotEmitted(place.closed):
        qtbot.keyClick(place, Qt.Key.Key_Escape)
