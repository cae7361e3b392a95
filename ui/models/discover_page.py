"""Discover: collections to look through, and one search over the catalogue and the Hub."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.machine import Machine
from catalog.catalogues.entries import Collection, Entry
from catalog.downloads.wanted import DownloadState
from catalog.hub.records import FoundRepository
from catalog.library import InstalledModel
from ui.background import Background
from ui.kit import IconButton, Label, Panel, SearchField
from ui.models.discover_entries import DiscoverEntries
from ui.models.discover_filters import FilterBar, Filters
from ui.models.discover_result_delegate import RESULT_BLEED
from ui.models.discover_results import ResultsView
from ui.models.discover_sections import GOOD_HERE, MARGIN, DiscoverSections
from ui.models.discover_services import FitSource, HubSource
from ui.models.hub_search import HubSearch
from ui.shortcuts import shortcut
from ui.theme import Theme

Subject = Entry | FoundRepository
OneSource = Literal["catalogue", "hub"]

_WIDEST = 1180
_INTO_THE_LIST = (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class DiscoverPage(Panel):
    """A search field, chips, and below them the sections or the results.

    Signals:
        subject_chosen: show this `Entry` or `FoundRepository` at the side.
        settings_requested(str): open this section of the settings.
    """

    subject_chosen = Signal(object)
    settings_requested = Signal(str)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        hub: HubSource,
        fitting: FitSource,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "page", parent=parent)
        self._filters = Filters()
        self._entries = DiscoverEntries(background, fitting, self)
        self._search = HubSearch(background, hub, self)
        self._catalogue_title = ""
        self._field = SearchField(
            theme, self.tr("Search the catalogue and Hugging Face"), _search_keys()
        )
        self._field.setClearButtonEnabled(True)
        self._bar = FilterBar(theme)
        self._sections = DiscoverSections(theme, self._entries)
        self._results = ResultsView(theme, self._entries, self._search)
        self._title = Label(theme, "", "heading")
        self._back = IconButton(theme, "arrow-left", self.tr("Back to all collections"), box=32)
        # A person sees the letter that they typed before the list changes.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._apply)
        self._lay_out()
        self._connect()

    def show_entries(self, entries: Sequence[Entry], collections: Sequence[Collection]) -> None:
        """What the catalogues hold."""
        self._bar.show_entries(entries)
        self._entries.show_entries(entries, collections)

    def show_installed(self, models: Sequence[InstalledModel]) -> None:
        self._entries.show_installed(models)

    def show_downloads(self, states: Sequence[DownloadState]) -> None:
        self._entries.show_downloads(states)

    def show_machine(self, machine: Machine) -> None:
        """What the computer can hold now."""
        self._entries.show_machine(machine)

    def show_offline(self, offline: bool) -> None:
        """The person has told the program to stay offline, or to go online again."""
        self._results.show_offline(offline)

    def show_collection(self, collection_id: str) -> None:
        """Go to the section of a collection."""
        self._reset(Filters())
        self._sections.jump_to(collection_id)

    def show_good_here(self) -> None:
        self.show_collection(GOOD_HERE)

    def show_source(self, source: OneSource) -> None:
        """List everything of one source."""
        self._reset(Filters(fits=False, source=source, listing=True))

    def show_catalogue(self, catalogue_id: str, title: str) -> None:
        """List everything of a catalogue that the person added."""
        self._catalogue_title = title
        self._reset(Filters(fits=False, source="catalogue", catalogue=catalogue_id, listing=True))

    def search_for(self, text: str) -> None:
        """Search as if a person had typed it."""
        self._reset(Filters(text=text))
        self.focus_search()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._search.come_back()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self._search.leave()

    def mark(self, subject: Subject | None) -> None:
        """Show which entry or repository is open at the side; None where none is."""
        self._sections.mark(subject.id if isinstance(subject, Entry) else "")
        self._results.mark(subject)

    def focus_search(self) -> None:
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()

    def focus_list(self) -> None:
        """Give the keys back to the list, as when the panel at the side closes."""
        if self._filters.is_searching:
            self._results.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._sections.focus_marked()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        clears = event.key() == Qt.Key.Key_Escape and self._filters.is_searching
        if event.type() == QEvent.Type.ShortcutOverride and clears:
            # Esc stops the answer everywhere else.
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress:
            if clears:
                self._leave_results()
                return True
            if watched is self._field and event.key() in _INTO_THE_LIST:
                self._soon.stop()
                self._apply()
                self._enter_list()
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle_edges()

    def _settle_edges(self) -> None:
        """One left and one right edge for all, whether or not something scrolls."""
        edge = max(MARGIN, (self.width() - _WIDEST) // 2)
        self._head_edges.setContentsMargins(edge, 10, edge, 0)
        # The arrow, not its box, is on the edge.
        self._heading_edges.setContentsMargins(edge - 8, 0, edge, 8)
        self._sections.set_edges(edge, edge - _bar_width(self._sections))
        # The ground of a row reaches past its text on both sides.
        inner = edge - RESULT_BLEED
        right = max(inner - _bar_width(self._results), 0)
        self._results_edges.setContentsMargins(inner, 0, right, 0)

    def _lay_out(self) -> None:
        self._field.setFixedHeight(36)
        self._heading = QWidget()
        self._heading_edges = heading = QHBoxLayout(self._heading)
        heading.setSpacing(4)
        heading.addWidget(self._back)
        heading.addWidget(self._title, 1)
        self._heading.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._sections)
        results = QWidget()
        self._results_edges = QHBoxLayout(results)
        self._results_edges.addWidget(self._results)
        self._stack.addWidget(results)
        self._head_edges = column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self._field)
        column.addWidget(self._bar)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(column)
        outer.addWidget(self._heading)
        outer.addWidget(self._stack, 1)

    def _connect(self) -> None:
        for widget in (self._field, self._sections, self._results):
            widget.installEventFilter(self)
        for scrolls in (self._sections, self._results):
            scrolls.verticalScrollBar().rangeChanged.connect(self._settle_edges)
        self._field.textChanged.connect(self._soon.start)
        self._bar.changed.connect(self._apply)
        self._back.clicked.connect(self._leave_results)
        for place in (self._sections, self._results):
            place.entry_chosen.connect(self._choose)
        self._results.repository_chosen.connect(self._choose)
        self._results.all_sizes_requested.connect(self._show_all_sizes)
        self._results.settings_requested.connect(self._ask_for_settings)
        self._results.clear_requested.connect(self._clear_filters)
        self._sections.all_requested.connect(self._show_all_of)

    def _choose(self, subject: Subject) -> None:
        self.mark(subject)
        self.subject_chosen.emit(subject)

    def _apply(self) -> None:
        """Take over what the field, the chips and the menus say."""
        text = self._field.text().strip()
        typed = msgspec.structs.replace(self._filters, text=text)
        self._show(self._bar.apply_to(typed))

    def _reset(self, filters: Filters) -> None:
        self._field.setText(filters.text)
        self._soon.stop()
        self._bar.show_filters(filters)
        self._show(filters)

    def _show(self, filters: Filters) -> None:
        before, self._filters = self._filters, filters
        asks_hub = filters.source != "catalogue" and not filters.collection
        self._bar.show_menus(filters.is_searching, sort=asks_hub)
        self._show_heading()
        if not filters.is_searching:
            self._search.stop()
            self._stack.setCurrentIndex(0)
            return
        if asks_hub:
            self._search.search(filters.hub_query(), at_once=filters.listing and not filters.text)
        else:
            self._search.stop()
        self._stack.setCurrentIndex(1)
        if filters != before:
            self._results.show_results(filters)

    def _show_heading(self) -> None:
        title = ""
        if self._filters.catalogue:
            title = self._catalogue_title
        elif self._filters.source == "catalogue":
            title = self.tr("Causeway catalogue")
        elif self._filters.source == "hub":
            title = self.tr("Hugging Face")
        elif self._filters.collection:
            titles = {each.id: each.title for each in self._entries.collections}
            title = titles.get(self._filters.collection, "")
        elif self._filters.listing:
            title = self.tr("Good on this computer")
        self._title.setText(title)
        self._heading.setVisible(bool(title))

    def _show_all_of(self, collection_id: str) -> None:
        if collection_id == GOOD_HERE:
            self._reset(Filters(source="catalogue", listing=True))
        else:
            self._reset(Filters(collection=collection_id, fits=False))

    def _show_all_sizes(self) -> None:
        self._reset(msgspec.structs.replace(self._filters, fits=False))

    def _clear_filters(self) -> None:
        self._reset(Filters(text=self._filters.text, fits=False, sort=self._filters.sort))

    def _ask_for_settings(self) -> None:
        self.settings_requested.emit("network")

    def _leave_results(self) -> None:
        self._reset(Filters())
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _enter_list(self) -> None:
        if self._filters.is_searching:
            self._results.enter()
        else:
            self._sections.enter()


def _search_keys() -> str:
    keys = QKeySequence(shortcut("search_chats").keys[0])
    return keys.toString(QKeySequence.SequenceFormat.NativeText).replace("+", " ")


def _bar_width(area: QAbstractScrollArea) -> int:
    bar = area.verticalScrollBar()
    return bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
