from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.kit import Paragraph
from ui.kit.steady_scroll import SteadyScroll
from ui.theme import Theme


def test_what_is_shown_keeps_its_width_when_more_comes_in(theme: Theme, qtbot: QtBot) -> None:
    area = SteadyScroll()
    qtbot.addWidget(area)
    area.resize(360, 300)
    content, block = QWidget(), QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(24, 0, 24, 0)
    column.addWidget(block)
    area.show_content(content, column)
    area.show()
    QApplication.processEvents()
    width = block.width()
    assert not area.verticalScrollBar().isEnabled()
    block.setMinimumHeight(900)
    qtbot.waitUntil(area.verticalScrollBar().isEnabled)
    qtbot.waitUntil(lambda: block.width() == width)
    assert block.mapTo(area, QPoint(0, 0)).x() == 24


def test_something_else_is_shown_from_its_beginning(theme: Theme, qtbot: QtBot) -> None:
    area = SteadyScroll()
    qtbot.addWidget(area)
    area.resize(360, 300)
    area.show()
    for _ in range(2):
        content = QWidget()
        column = QVBoxLayout(content)
        block = QWidget()
        block.setMinimumHeight(900)
        column.addWidget(block)
        area.show_content(content, column)
        qtbot.waitUntil(area.verticalScrollBar().isEnabled)
        assert area.verticalScrollBar().value() == 0
        area.verticalScrollBar().setValue(200)


def test_words_at_the_brink_of_the_height_do_not_move_the_edge(theme: Theme, qtbot: QtBot) -> None:
    area = SteadyScroll()
    qtbot.addWidget(area)
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(16, 0, 16, 0)
    words = Paragraph(theme, "It runs on this computer, outside of Causeway. " * 3)
    column.addWidget(words)
    column.addStretch(1)
    area.show_content(content, column)
    area.show()
    for height in range(40, 140):
        area.resize(300, height)
        QApplication.processEvents()
        edge = words.mapTo(area, QPoint(words.width(), 0)).x()
        assert edge == 300 - 16
