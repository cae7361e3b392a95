"""A page of cards under a bar with its title: settings, shortcuts, models."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui.kit.surfaces import Panel
from ui.kit.text import Label
from ui.theme import Theme

_WIDTH = 716
_MARGIN = 24
_GAP = 20


class CardPage(Panel):
    """A title, a bar for a note or buttons, and a column of blocks that scrolls.

    Where there is nothing to press on a page, `reading` lets the Tab key stop at the column itself, so
    that keys can scroll it.
    """

    def __init__(
        self,
        theme: Theme,
        title: str,
        note: str = "",
        reading: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "page", parent=parent)
        self.theme = theme
        bar = Panel(theme, "page", "b")
        bar.setFixedHeight(theme.size("header"))
        self._bar_margin = bar_layout = QHBoxLayout(bar)
        bar_layout.setContentsMargins(_MARGIN, 0, _MARGIN, 0)
        content = QWidget()
        self.bar = QHBoxLayout(content)
        self.bar.setContentsMargins(0, 0, 0, 0)
        self.bar.setSpacing(8)
        self.bar.addWidget(Label(theme, title, "heading"))
        self.bar.addStretch(1)
        if note:
            self.bar.addWidget(Label(theme, note, "small", "text3"))
        _centre(bar_layout, content)

        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        stops = Qt.FocusPolicy.TabFocus if reading else Qt.FocusPolicy.NoFocus
        self._scroll.setFocusPolicy(stops)
        self._scroll.setProperty("reading", reading)
        self._scroll.setAccessibleName(title)
        self._scroll.verticalScrollBar().rangeChanged.connect(self._keep_edge)
        page = QWidget()
        page_layout = QHBoxLayout(page)
        page_layout.setContentsMargins(_MARGIN, _GAP, _MARGIN, _MARGIN)
        column = QWidget()
        self.column = QVBoxLayout(column)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        _centre(page_layout, column)
        self._scroll.setWidget(page)

        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(bar)
        outer.addWidget(self._scroll, 1)

    def add_block(self, block: QWidget, heading: str = "") -> None:
        """Put a block below the others, under a heading of its own where there is one."""
        if self.column.count():
            self.column.addSpacing(_GAP)
        if heading:
            label = Label(self.theme, heading, "strong")
            label.setFixedHeight(24)
            self.column.addWidget(label)
            self.column.addSpacing(8)
        self.column.addWidget(block)

    def _keep_edge(self, minimum: int, maximum: int) -> None:
        """The scroll bar narrows the column below; the title keeps to the same left edge."""
        taken = self._scroll.verticalScrollBar().sizeHint().width() if maximum > minimum else 0
        self._bar_margin.setContentsMargins(_MARGIN, 0, _MARGIN + taken, 0)


def _centre(layout: QHBoxLayout, widget: QWidget) -> None:
    widget.setMaximumWidth(_WIDTH)
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    layout.addStretch(1)
    layout.addWidget(widget, 100)
    layout.addStretch(1)
