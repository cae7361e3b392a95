from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import Button, Card, CardPage, EmptyState, Hairline, Label, Notice, Panel, RailButton
from ui.theme import Theme


def test_a_panel_draws_the_edges_it_is_asked_for(theme: Theme, qtbot: QtBot) -> None:
    panel = Panel(theme, "panel", "rb")
    qtbot.addWidget(panel)
    panel.resize(40, 30)
    image = panel.grab().toImage()
    line, ground = theme.color("hairline"), theme.color("panel")
    assert image.pixelColor(39, 10) == line
    assert image.pixelColor(10, 29) == line
    assert image.pixelColor(0, 10) == ground
    assert image.pixelColor(10, 0) == ground


def test_rows_of_a_card_are_parted_by_lines(theme: Theme, qtbot: QtBot) -> None:
    card = Card(theme)
    qtbot.addWidget(card)
    for _ in range(3):
        card.add_row(QWidget())
    assert len(card.findChildren(Hairline)) == 2


def test_a_notice_says_everything_to_a_screen_reader(theme: Theme, qtbot: QtBot) -> None:
    retry = Button(theme, "Retry")
    notice = Notice(theme, "danger", "The model stopped.", "What it wrote is kept.", [retry])
    qtbot.addWidget(notice)
    assert notice.accessibleName() == "The model stopped. What it wrote is kept."
    assert retry.parent() is notice
    assert theme.color("danger_soft").name() in colors_in(notice.grab().toImage())


def test_a_notice_grows_with_its_words(theme: Theme, qtbot: QtBot) -> None:
    notice = Notice(theme, "warn", "Short.")
    qtbot.addWidget(notice)
    notice.setFixedWidth(300)
    notice.adjustSize()
    before = notice.height()
    notice.set_words("Long.", "It goes on and on, until one line is not enough for it. " * 3)
    notice.adjustSize()
    assert notice.height() >= before + 3 * theme.line_height()


def test_an_empty_page_offers_its_buttons(theme: Theme, qtbot: QtBot) -> None:
    find = QPushButton("Find")
    empty = EmptyState(theme, "cube", "No models yet", "Get one to begin with. " * 4, [find])
    qtbot.addWidget(empty)
    empty.resize(700, empty.sizeHint().height())
    empty.show()
    words = next(label for label in empty.findChildren(Label) if label.text() == "No models yet")
    assert abs(words.geometry().center().x() - 350) <= 1
    assert empty.isAncestorOf(find)


def test_the_progress_ring_of_the_rail_comes_and_goes(theme: Theme, qtbot: QtBot) -> None:
    button = RailButton(theme, "cube", "Models")
    qtbot.addWidget(button)
    accent = theme.color("accent").name()
    assert accent not in colors_in(button.grab().toImage())
    button.set_progress(0.6)
    assert accent in colors_in(button.grab().toImage())
    button.set_progress(None)
    assert accent not in colors_in(button.grab().toImage())


def test_title_and_column_of_a_page_share_their_left_edge(theme: Theme, qtbot: QtBot) -> None:
    page = CardPage(theme, "Models")
    qtbot.addWidget(page)
    card = Card(theme)
    page.add_block(card)
    page.resize(1000, 300)
    page.show()
    title = page.findChild(Label)
    for height in (20, 2000):  # without a scroll bar, and with one
        card.setFixedHeight(height)
        qtbot.waitUntil(
            lambda: (
                title.mapTo(page, title.pos()).x() - title.x()
                == card.mapTo(page, card.rect().topLeft()).x()
            )
        )
    assert card.width() == 716
