from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from pytestqt.qtbot import QtBot

from tests.ui.colors import colors_in
from ui.kit import Chip, ElidedLabel, Label, Paragraph
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

LONG = "The six oldest turns no longer fit and were left out, but they stay in the chat. " * 3


def test_a_label_takes_text_as_it_is(theme: Theme, qtbot: QtBot) -> None:
    label = Label(theme, "<b>bold</b> & all")
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    interface = QAccessible.queryAccessibleInterface(label)
    assert interface.text(QAccessible.Text.Name) == "<b>bold</b> & all"


def test_a_label_is_one_line_of_its_kind_high(theme: Theme, qtbot: QtBot) -> None:
    label = Label(theme, "Causeway", "heading")
    qtbot.addWidget(label)
    assert label.height() == theme.line_height("heading")


def test_a_label_that_does_not_fit_says_all_in_its_tooltip(theme: Theme, qtbot: QtBot) -> None:
    label = ElidedLabel(theme, LONG)
    qtbot.addWidget(label)
    label.resize(120, label.height())
    label.grab()
    assert label.toolTip() == plain_tooltip(LONG)
    label.setText("Short")
    label.grab()
    assert label.toolTip() == ""


def test_a_paragraph_is_as_high_as_its_lines(theme: Theme, qtbot: QtBot) -> None:
    paragraph = Paragraph(theme, LONG)
    qtbot.addWidget(paragraph)
    line = theme.line_height()
    narrow, wide = paragraph.heightForWidth(200), paragraph.heightForWidth(600)
    assert narrow > wide > line
    assert narrow % line == wide % line == 0


def test_a_paragraph_shows_markup_as_text(theme: Theme, qtbot: QtBot) -> None:
    markup = "<img src='file:///x'> <b>bold</b>"
    paragraph = Paragraph(theme, markup, lead="<i>Lead</i>")
    qtbot.addWidget(paragraph)
    assert paragraph._document.toPlainText() == f"<i>Lead</i> {markup}"


def test_a_paragraph_is_read_whole_by_a_screen_reader(theme: Theme, qtbot: QtBot) -> None:
    paragraph = Paragraph(theme, "What it had written is kept.", lead="The model stopped.")
    qtbot.addWidget(paragraph)
    interface = QAccessible.queryAccessibleInterface(paragraph)
    name = interface.text(QAccessible.Text.Name)
    assert name == "The model stopped. What it had written is kept."


def test_a_paragraph_follows_the_theme(theme: Theme, qtbot: QtBot) -> None:
    paragraph = Paragraph(theme, "MMM " * 20)
    qtbot.addWidget(paragraph)
    paragraph.resize(300, 60)
    assert theme.color("text2").name() in colors_in(paragraph.grab().toImage())
    theme.set_preference("dark")
    assert theme.color("text2").name() in colors_in(paragraph.grab().toImage())


def test_a_chip_is_as_wide_as_its_words(theme: Theme, qtbot: QtBot) -> None:
    short, long = Chip(theme, "Fits", "ok"), Chip(theme, "Fits well", "ok", icon="check")
    for chip in (short, long):
        qtbot.addWidget(chip)
    assert long.sizeHint().width() > short.sizeHint().width() + 16
    assert theme.color("ok_soft").name() in colors_in(short.grab().toImage())
