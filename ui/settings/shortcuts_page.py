"""The keyboard page: every shortcut of the window."""

from typing import get_args

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.kit import Card, CardPage, Label
from ui.kit.painting import INNER_RADIUS, rounded
from ui.shortcuts import Section, Shortcut, section_title, shortcuts
from ui.theme import Theme


class ShortcutsPage(CardPage):
    """Lists what `ui.shortcuts` declares, by section, as this platform writes its keys."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            QCoreApplication.translate("ShortcutsPage", "Shortcuts"),
            reading=True,
            parent=parent,
        )
        for section in get_args(Section):
            card = Card(theme)
            for shortcut in shortcuts():
                if shortcut.section == section:
                    card.add_row(_line(theme, shortcut))
            self.add_block(card, section_title(section))
        self.column.addStretch(1)


class _Keys(Label):
    """Keys in a frame, as they stand on a keyboard."""

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(theme, text, "smallmd", "text2")
        self.setContentsMargins(8, 0, 8, 0)
        self.setFixedHeight(24)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self.theme.color
        rounded(QPainter(self), self.rect(), INNER_RADIUS, color("page"), color("border"))
        super().paintEvent(event)


def _line(theme: Theme, shortcut: Shortcut) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(16, 8, 16, 8)
    row.setSpacing(6)
    row.addWidget(Label(theme, shortcut.title), 1)
    for key in shortcut.keys:
        shown = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
        # Qt calls the key by the name that few keyboards show; a Mac gets a symbol.
        row.addWidget(_Keys(theme, shown.replace("Return", "Enter")))
    return line
