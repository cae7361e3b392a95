"""A line that unfolds what is below it."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ui.kit import FoldLine
from ui.theme import Theme


def test_it_is_switched_by_key_and_says_its_state(theme: Theme, qtbot: QtBot) -> None:
    line = FoldLine(theme, "Advanced")
    qtbot.addWidget(line)
    assert line.accessibleName() == "Advanced"
    assert line.accessibleDescription() == "folded"
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.isChecked()
    assert line.accessibleDescription() == "unfolded"


def test_what_is_folded_away_is_told_only_while_it_is(theme: Theme, qtbot: QtBot) -> None:
    line = FoldLine(theme, "Advanced")
    qtbot.addWidget(line)
    line.resize(260, 28)
    bare = line.grab().toImage()
    line.show_summary("2 changed")
    assert line.accessibleDescription() == "folded. 2 changed"
    assert line.grab().toImage() != bare
    line.setChecked(True)
    unfolded = line.grab().toImage()
    line.show_summary("")
    assert line.grab().toImage() == unfolded
