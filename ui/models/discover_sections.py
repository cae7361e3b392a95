"""Discover before anything is searched for: a section for each collection."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from catalog.catalogues.entries import Collection, Entry
from ui.kit import Button, Label, Paragraph
from ui.models.discover_entries import DiscoverEntries, is_road
from ui.models.entry_card import ENTRY_ROLE, CardGrid
from ui.models.entry_view import StillView
from ui.models.road import BLEED, STOP_ROLE, Road
from ui.theme import Theme

GOOD_HERE = "good-here"
MARGIN = 24

_GOOD_ROWS = 3
_ROWS = 2


class Section(QWidget):
    """A heading, a line about it, and the entries.

    Signals:
        entry_chosen: that `Entry`.
        all_requested(str): every entry of the collection with this id.
    """

    entry_chosen = Signal(object)
    all_requested = Signal(str)

    def __init__(
        self,
        theme: Theme,
        collection: Collection,
        entries: DiscoverEntries,
        *,
        road: bool = False,
        rows: int = _ROWS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._entries = entries
        self._waiting = ""
        self.collection = collection
        self.view: CardGrid | Road = (
            Road(theme, collection.title, entries.facts)
            if road
            else CardGrid(theme, collection.title, entries.facts, rows)
        )
        self.view.opened.connect(self._open)
        self._all = Button(theme, "", "link")
        self._all.clicked.connect(self._request_all)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Label(theme, collection.title, "heading"))
        head.addStretch(1)
        head.addWidget(self._all)
        words = QVBoxLayout()
        words.setContentsMargins(BLEED, 0, BLEED, 12)
        words.setSpacing(4)
        words.addLayout(head)
        if collection.summary:
            words.addWidget(Paragraph(theme, collection.summary))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(words)
        # The rows of a road have a ground that reaches out on both sides; their text keeps to the edge.
        list_ = QHBoxLayout()
        edge = 0 if road else BLEED
        list_.setContentsMargins(edge, 0, edge, 0)
        list_.addWidget(self.view)
        column.addLayout(list_)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_entries(self, entries: Sequence[Entry], waiting: str = "") -> None:
        """Show these; `waiting` stands in their place while there are none."""
        self._waiting = "" if entries else waiting
        self.view.show_entries(entries)
        words = self.tr("See all {count}").format(count=len(entries))
        self._all.set_words(words)
        name = self.tr("See all {count} of “{title}”")
        self._all.setAccessibleName(name.format(count=len(entries), title=self.collection.title))
        self._all.setVisible(bool(entries))
        self.update()

    def mark(self, entry_id: str) -> None:
        """Show which entry is open at the side; an empty id marks none."""
        self.view.mark(entry_id)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._waiting:
            painter = QPainter(self)
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.color("text2"))
            top = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(self.view.geometry(), top, self._waiting)

    def _open(self, index: QModelIndex) -> None:
        stop = index.data(STOP_ROLE) if isinstance(self.view, Road) else None
        if stop is None:
            self.entry_chosen.emit(index.data(ENTRY_ROLE))
            return
        self.entry_chosen.emit(self._entries.best_of_family(stop.stop.entries))

    def _request_all(self) -> None:
        self.all_requested.emit(self.collection.id)


class DiscoverSections(QScrollArea):
    """Good on this computer, then the collections.

    Signals:
        entry_chosen: that `Entry`.
        all_requested(str): every entry of the collection with this id.
    """

    entry_chosen = Signal(object)
    all_requested = Signal(str)

    def __init__(
        self, theme: Theme, entries: DiscoverEntries, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._entries = entries
        self._sections: list[Section] = []
        self._shown: tuple[Collection, ...] | None = None
        self._marked = ""
        self._wanted = ""
        self._to_build: list[Collection] = []
        # Each section takes some milliseconds: those out of sight come one at a time.
        self._builder = QTimer(self, singleShot=True, interval=0)
        self._builder.timeout.connect(self._build_next)
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.setSpacing(32)
        self._column.addStretch(1)
        self.setWidget(self._page)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        entries.reckoned.connect(self._show)
        entries.marks_changed.connect(self._repaint)

    def jump_to(self, collection_id: str) -> None:
        """Scroll to a section; once it is there, where it isn't yet."""
        self._wanted = collection_id
        self._jump()

    def set_edges(self, left: int, right: int) -> None:
        """Where text begins and ends, from the edges of this area."""
        self._column.setContentsMargins(left - BLEED, 12, right - BLEED, MARGIN)

    def mark(self, entry_id: str) -> None:
        """Show which entry is open at the side."""
        self._marked = entry_id
        for section in self._sections:
            section.mark(entry_id)

    def enter(self) -> None:
        """Take the focus from the search field."""
        if self._sections:
            self._sections[0].view.enter()

    def focus_marked(self) -> None:
        """Take the keys where the marked entry is."""
        for section in self._sections:
            if section.view.selectionModel().hasSelection():
                section.view.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def _show(self) -> None:
        if self._shown != self._entries.collections:
            self._shown = self._entries.collections
            self._build()
        good = self._sections[0]
        here = self._entries.good_here()
        if self._entries.knows_fits:
            waiting = self.tr(
                "Nothing in the catalogue fits into the memory that is free now. Close other "
                "programs, or try one of the smallest below."
            )
        else:
            waiting = self.tr("Looking at what this computer can hold…")
        good.show_entries(here, waiting)
        for section in self._sections[1:]:
            self._fill(section)
        self.mark(self._marked)
        self._repaint()
        if self._wanted:
            self._jump()

    def _build(self) -> None:
        for section in self._sections:
            section.hide()
            section.deleteLater()
        self._sections = []
        good = Collection(id=GOOD_HERE, title=self.tr("Good on this computer"))
        self._add(Section(self._theme, good, self._entries, rows=_GOOD_ROWS))
        self._to_build = list(self._entries.collections)
        self._build_next()

    def _build_next(self) -> None:
        while self._to_build:
            collection = self._to_build.pop(0)
            entries = self._entries.of_collection(collection.id)
            if entries:
                road = is_road(entries)
                section = Section(self._theme, collection, self._entries, road=road)
                self._add(section)
                self._fill(section)
                section.mark(self._marked)
                break
        if self._to_build:
            self._builder.start()
        if self._wanted:
            self._jump()

    def _add(self, section: Section) -> None:
        place = len(self._sections)
        self._sections.append(section)
        self._column.insertWidget(place, section)
        section.entry_chosen.connect(self.entry_chosen)
        section.all_requested.connect(self.all_requested)
        section.view.moved.connect(partial(self._follow, section.view))
        section.view.left.connect(partial(self._leave, place))

    def _fill(self, section: Section) -> None:
        section.show_entries(self._entries.of_collection(section.collection.id))

    def _repaint(self) -> None:
        for section in self._sections:
            section.view.viewport().update()

    def _jump(self) -> None:
        for section in self._sections:
            if section.collection.id == self._wanted and section.isVisibleTo(self):
                self._column.activate()
                top = section.mapTo(self._page, section.rect().topLeft()).y()
                self.verticalScrollBar().setValue(top - 12)
                if section.height() > 0:
                    self._wanted = ""

    def _follow(self, view: StillView, rect: QRect) -> None:
        """Keep in sight where the arrows are."""
        top = view.mapTo(self._page, rect.topLeft())
        self.ensureVisible(top.x(), top.y() + rect.height() // 2, 0, rect.height() // 2 + 48)

    def _leave(self, place: int, step: int) -> None:
        if 0 <= place + step < len(self._sections):
            self._sections[place + step].view.enter(at_end=step < 0)
