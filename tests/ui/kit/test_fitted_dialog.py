"""A dialog is as high as its words, and no higher than the screen."""

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from tests.ui.tab_order import names, tab_stops
from ui.kit import Button, Paragraph, TextField
from ui.kit.asking_dialog import AskingDialog
from ui.kit.fitted_dialog import FittedDialog
from ui.theme import Theme


def dialog_of(theme: Theme, qtbot: QtBot, paragraphs: int) -> tuple[FittedDialog, Button]:
    dialog = FittedDialog(theme, "About it")
    qtbot.addWidget(dialog)
    for number in range(paragraphs):
        dialog.column.addWidget(Paragraph(theme, f"{number}. What is to be said about it."))
    button = Button(theme, "Close")
    dialog.buttons.addWidget(button)
    dialog.show()
    return dialog, button


def test_a_short_one_shows_all_of_its_words(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = dialog_of(theme, qtbot, 3)
    area = dialog.findChild(QScrollArea)
    assert area.verticalScrollBar().maximum() == 0
    before = dialog.height()
    dialog.column.addWidget(Paragraph(theme, "One more thing."))
    qtbot.waitUntil(lambda: dialog.height() > before)
    assert area.verticalScrollBar().maximum() == 0


def test_a_long_one_scrolls_and_keeps_its_buttons_in_sight(theme: Theme, qtbot: QtBot) -> None:
    dialog, button = dialog_of(theme, qtbot, 200)
    assert dialog.frameGeometry().height() <= dialog.screen().availableGeometry().height()
    assert dialog.findChild(QScrollArea).verticalScrollBar().maximum() > 0
    place = QRect(button.mapTo(dialog, button.rect().topLeft()), button.size())
    assert dialog.rect().contains(place)


def test_the_keys_come_to_the_fields_before_the_buttons(theme: Theme, qtbot: QtBot) -> None:
    field = TextField(theme, "Passphrase")
    dialog = AskingDialog(theme, "Keys", "Say it.", [field], working="…", go_on="Unlock")
    qtbot.addWidget(dialog)
    dialog.show()
    field.setText("x")
    field.textEdited.emit("x")
    assert names(tab_stops(dialog)) == ["Passphrase", "Cancel", "Unlock"]
    dialog.show_problem("It is another one.")
    assert field.accessibleDescription() == "It is another one."
