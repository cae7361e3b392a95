from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.adapters import AdapterGlance
from catalog.errors import BadModelFile
from catalog.fit.fit import Fit, MemoryEstimate
from catalog.library import InstalledModel, LibraryProblem
from tests.ui.models.installed import model
from ui.kit import ComboBox, MenuButton, SearchField
from ui.models.installed_list import InstalledList
from ui.models.installed_page import InstalledPage
from ui.models.installed_view import InstalledView
from ui.theme import Theme

PLOVER = model("Plover")
HERON = model("Heron", place="lm_studio", managed=False, size_bytes=4_100_000_000)
TERN = model("Tern", kind="embedding", size_bytes=98_000_000)
TORN = LibraryProblem(
    Path("models/torn.gguf"), BadModelFile("It is cut off.", "Bytes are missing.", "Fetch it.")
)
GLANCE = AdapterGlance("16", 2)
TIGHT = Fit(verdict="tight", parts=MemoryEstimate(1, 1, 1), free=3, n_ctx=8192)


@pytest.fixture
def asked() -> list[str]:
    """The models whose fit was asked for."""
    return []


@pytest.fixture
def page(theme: Theme, qtbot: QtBot, asked: list[str]) -> InstalledPage:
    def fit_of(model: InstalledModel) -> Fit:
        asked.append(model.name)
        return TIGHT

    page = InstalledPage(theme, "models", fit_of)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    return page


def view(page: QWidget) -> InstalledView:
    return page.findChild(InstalledView)


def rows(page: QWidget) -> list[str]:
    rows = view(page).model()
    return [rows.index(row, 0).data() for row in range(rows.rowCount())]


def words(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def press(page: QWidget, name: str, qtbot: QtBot) -> None:
    found = next(
        found
        for found in page.findChildren(QAbstractButton)
        if found.isVisible() and found.accessibleName() == name
    )
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def test_an_empty_page_says_what_to_do(page: InstalledPage, qtbot: QtBot) -> None:
    assert "No models yet" not in words(page)  # nobody has looked yet
    page.show_rows([])
    assert "No models yet" in words(page)
    with qtbot.waitSignal(page.discover_requested):
        press(page, "Browse the catalogue", qtbot)
    with qtbot.waitSignal(page.file_requested):
        press(page, "Add a file…", qtbot)


def test_adapters_have_words_of_their_own(theme: Theme, qtbot: QtBot) -> None:
    page = InstalledPage(theme, "adapters", lambda model: None)
    qtbot.addWidget(page)
    page.show()
    page.show_rows([])
    assert "No adapters yet" in words(page)
    with qtbot.waitSignal(page.discover_requested):
        press(page, "Find adapters", qtbot)


def test_a_row_is_read_out_whole() -> None:
    listed = InstalledList(glance_of=lambda model: GLANCE if model.kind == "adapter" else None)
    adapter = model("Terse", kind="adapter", base="SmolLM3-3B", size_bytes=48_000_000)
    listed.show_rows([HERON, adapter], [TORN])
    texts = [
        listed.index(row).data(Qt.ItemDataRole.AccessibleTextRole)
        for row in range(listed.rowCount())
    ]
    assert texts == [
        "Heron, Q4_K_M, 4.10 GB · 3.1 B · 64k context, LM Studio",
        "Terse, Q4_K_M, 48 MB · llama · rank 16 · for SmolLM3-3B, Fits 2 models",
        "torn.gguf, It is cut off. Bytes are missing. Fetch it.",
    ]


def test_models_are_in_order_and_what_can_not_be_used_comes_last(page: InstalledPage) -> None:
    page.show_rows([PLOVER, TERN, HERON], [TORN])
    assert rows(page) == ["Heron", "Plover", "Tern", "torn.gguf"]
    order = page.findChild(ComboBox)
    order.setCurrentIndex(1)
    order.activated.emit(1)
    assert rows(page) == ["Heron", "Plover", "Tern", "torn.gguf"]
    order.setCurrentIndex(2)
    order.activated.emit(2)
    assert rows(page) == ["Tern", "Plover", "Heron", "torn.gguf"]


def test_words_narrow_the_list(page: InstalledPage, qtbot: QtBot) -> None:
    page.show_rows([PLOVER, HERON], [TORN])
    field = page.findChild(SearchField)
    qtbot.keyClicks(field, "q4 plo")
    assert rows(page) == ["Plover"]
    qtbot.keyClicks(field, "zzz")
    assert "Nothing found" in words(page)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert rows(page) == ["Heron", "Plover", "torn.gguf"]


def test_one_place_can_be_looked_at_alone(page: InstalledPage) -> None:
    page.show_rows([PLOVER, HERON], [TORN])
    page.keep_place("lm_studio")
    assert rows(page) == ["Heron"]
    assert "LM Studio" in words(page)
    page.keep_place(None)
    assert rows(page) == ["Heron", "Plover", "torn.gguf"]


def test_a_click_opens_and_a_double_click_chats(page: InstalledPage, qtbot: QtBot) -> None:
    page.show_rows([PLOVER, TERN])
    listed = view(page)
    place = listed.visualRect(listed.model().index(0, 0)).center()
    with qtbot.waitSignal(page.opened) as opened:
        qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == [PLOVER]
    with qtbot.waitSignal(page.chat_requested) as chat:
        qtbot.mouseDClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chat.args == [PLOVER]
    finder = listed.visualRect(listed.model().index(1, 0)).center()
    with qtbot.assertNotEmitted(page.chat_requested):
        qtbot.mouseDClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=finder)


def test_the_keys_walk_and_open(page: InstalledPage, qtbot: QtBot) -> None:
    page.show_rows([PLOVER, HERON])
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    field = page.findChild(SearchField)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Down)
    listed = view(page)
    assert listed.hasFocus()
    with qtbot.waitSignal(page.walked_to) as walked:
        qtbot.keyClick(listed, Qt.Key.Key_Down)
    assert walked.args == [PLOVER]
    with qtbot.waitSignal(page.opened) as opened:
        qtbot.keyClick(listed, Qt.Key.Key_Return)
    assert opened.args == [PLOVER]
    with qtbot.waitSignal(page.chat_requested):
        qtbot.keyClick(listed, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_the_chosen_row_stays_chosen_when_others_come(page: InstalledPage) -> None:
    page.show_rows([PLOVER])
    page.select(PLOVER.path)
    page.show_rows([HERON, PLOVER])
    assert view(page).currentIndex().data() == "Plover"
    page.select(None)
    assert not view(page).currentIndex().isValid()


def test_a_fit_is_only_asked_for_where_it_can_be_seen(
    page: InstalledPage, asked: list[str]
) -> None:
    page.show_rows([model(f"Model {number:03}") for number in range(500)])
    QApplication.processEvents()
    page.grab()
    assert "Model 000" in asked
    assert len(set(asked)) < 30


def test_both_looks_and_both_ratios_paint(page: InstalledPage, theme: Theme) -> None:
    page.show_rows([PLOVER, HERON, TERN], [TORN])
    page.select(PLOVER.path)
    page.show_loaded(HERON.id)
    light = page.grab().toImage()
    theme.set_preference("dark")
    dark = page.grab().toImage()
    theme.set_preference("light")
    assert light != dark


def test_an_adapter_is_told_with_its_rank_once_that_is_known(theme: Theme, qtbot: QtBot) -> None:
    known: dict[str, AdapterGlance] = {}
    page = InstalledPage(theme, "adapters", lambda model: None, lambda each: known.get(each.name))
    qtbot.addWidget(page)
    page.resize(900, 300)
    page.show_rows([model("Terse", kind="adapter"), model("Calm", kind="adapter")])
    page.show()
    before = page.grab().toImage()
    known["Terse"] = GLANCE
    page.show_fits()
    assert page.grab().toImage() != before


def test_an_adapter_is_added_from_a_file_a_folder_or_the_hub(theme: Theme, qtbot: QtBot) -> None:
    page = InstalledPage(theme, "adapters", lambda model: None)
    qtbot.addWidget(page)
    page.show()
    menu = page.findChild(MenuButton).menu
    signals = (page.file_requested, page.folder_requested, page.repository_requested)
    for action, signal in zip(menu.actions(), signals, strict=True):
        with qtbot.waitSignal(signal):
            action.trigger()


def test_models_have_no_menu_for_adapters(page: InstalledPage) -> None:
    assert not page.findChild(MenuButton).isVisible()
