"""Messages that stay: notices in a page, and pages that are still empty."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QVBoxLayout, QWidget

from ui.kit.painting import RADIUS, rounded
from ui.kit.surfaces import Icon, Tile
from ui.kit.text import Label, Paragraph
from ui.theme import Theme

NoticeKind = Literal["info", "warn", "danger"]

_GROUNDS = {"info": "tint", "warn": "warn_soft", "danger": "danger_soft"}
_ICONS = {"info": "info", "warn": "warning", "danger": "warning-circle"}
_INKS = {"info": "accent_text", "warn": "warn", "danger": "danger"}


class Notice(QWidget):
    """What happened, why, and the buttons that do something about it."""

    def __init__(
        self,
        theme: Theme,
        kind: NoticeKind,
        title: str,
        text: str = "",
        actions: Sequence[QAbstractButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = kind
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(10)
        icon = Icon(theme, _ICONS[kind], 18, _INKS[kind])
        icon.setFixedHeight(theme.line_height())
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(8)
        self._words = Paragraph(theme, role="text2")
        column.addWidget(self._words)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(4)
        for action in actions:
            self._actions.addWidget(action)
        if actions:
            self._actions.addStretch(1)
            column.addLayout(self._actions)
        row.addLayout(column, 1)
        self.set_words(title, text)

    def set_words(self, title: str, text: str = "") -> None:
        """`title` is the first sentence, in bold where more follows."""
        alone = not text and self._kind != "info"
        self._words.set_role("text" if alone else "text2")
        self._words.set_text(text or title, title if text else "")
        self.setAccessibleName(f"{title} {text}".strip())

    def paintEvent(self, event: QPaintEvent) -> None:
        ground = self._theme.color(_GROUNDS[self._kind])
        rounded(QPainter(self), QRectF(self.rect()), RADIUS, ground)


class EmptyState(QWidget):
    """Says what belongs on an empty page, and what to do next."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        title: str,
        text: str,
        buttons: Sequence[QAbstractButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(0)
        column.addWidget(Tile(theme, icon, "accent_text", "accent_soft"), 0, centre)
        column.addSpacing(12)
        column.addWidget(Label(theme, title, "strong"), 0, centre)
        column.addSpacing(2)
        words = Paragraph(theme, text, alignment=centre)
        words.setFixedWidth(320)
        # In a row of its own: beside an alignment, its height would be reckoned for another width.
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(words)
        line.addStretch(1)
        column.addLayout(line)
        if buttons:
            column.addSpacing(12)
            row = QHBoxLayout()
            row.setSpacing(4)
            row.addStretch(1)
            for button in buttons:
                row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)
