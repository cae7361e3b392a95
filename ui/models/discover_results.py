"""Results: the catalogue at once, the Hub's below as they arrive."""

import time
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from catalog.catalogues.entries import Entry
from catalog.fit.fit import Fit, rough_fit
from catalog.hub.records import FoundRepository
from ui.models.discover_entries import DiscoverEntries
from ui.models.discover_filters import Filters, usual_bytes
from ui.models.discover_result_delegate import ResultDelegate
from ui.models.discover_result_rows import (
    EntryRow,
    HeadingRow,
    HubRow,
    NoteRow,
    ResultRows,
    Row,
    offline_row,
    problem_row,
)
from ui.models.entry_view import EntryView
from ui.models.hub_search import HubSearch
from ui.theme import Theme

_USUAL_CONTEXT = 8192
_ROWS_AHEAD = 8
_ENTRIES_SHOWN = 60
"""Above the Hub's results; a catalogue of thousands would hide those and take long to lay out."""

_MORE_ENTRIES = 500
_MOST_EMPTY_PAGES = 5
"""Pages of the Hub of which nothing is admitted, before the person has to ask for more."""


class ResultsView(EntryView):
    """One list of both.

    Signals:
        entry_chosen: that `Entry`.
        repository_chosen: that `FoundRepository`.
        all_sizes_requested: also show what doesn't fit.
        clear_requested: narrow by the text only.
        settings_requested: the person may want to go online.
    """

    entry_chosen = Signal(object)
    repository_chosen = Signal(object)
    all_sizes_requested = Signal()
    clear_requested = Signal()
    settings_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        entries: DiscoverEntries,
        search: HubSearch,
        now: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Results"))
        self._entries = entries
        self._search = search
        self._filters = Filters()
        self._offline = False
        self._found: tuple[Entry, ...] = ()
        self._subject: Entry | FoundRepository | None = None
        self._limit = 0
        self._admitted = 0
        self._results_seen = 0
        self._empty_pages = 0
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._load_more)
        self._rows = ResultRows(entries.facts, now, self)
        self.setModel(self._rows)
        self.setItemDelegate(ResultDelegate(theme, self._rows, self))
        self.opened.connect(self._open)
        self.verticalScrollBar().valueChanged.connect(self._load_more)
        entries.reckoned.connect(self._find)
        entries.marks_changed.connect(self.viewport().update)
        search.changed.connect(self._take_from_hub)

    def show_results(self, filters: Filters) -> None:
        """Show what these let through."""
        self._filters = filters
        self._empty_pages = 0
        self._limit = _ENTRIES_SHOWN if filters.source == "both" else _MORE_ENTRIES
        self.verticalScrollBar().setValue(0)
        self._find()

    def show_offline(self, offline: bool) -> None:
        """Whether the Hub may be asked; what couldn't be asked before is asked then."""
        if offline == self._offline:
            return
        self._offline = offline
        if not offline:
            self._search.retry()
        self._show()

    def mark(self, subject: Entry | FoundRepository | None) -> None:
        """Show what is open at the side; None marks nothing."""
        self._subject = subject
        place = self._rows.place_of(subject)
        if place < 0:
            self.clearSelection()
        elif self.currentIndex().row() != place or not self.selectionModel().hasSelection():
            self.setCurrentIndex(self._rows.index(place, 0))

    def enter(self, *, at_end: bool = False) -> None:
        """Take the focus from the search field: at the first row that can be opened."""
        for place in range(self._rows.rowCount()):
            index = self._rows.index(place, 0)
            if self._rows.flags(index) & Qt.ItemFlag.ItemIsEnabled:
                self.setFocus(Qt.FocusReason.TabFocusReason)
                self._go_to(index)
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def _find(self) -> None:
        filters = self._filters
        self._found = ()
        if filters.is_searching and filters.source != "hub":
            found = self._entries.find(filters.entry_filter())
            self._found = tuple(entry for entry in found if _is_from(filters.catalogue, entry))
        self._show()

    def _take_from_hub(self) -> None:
        self._show()
        # Rows are laid out only after they came.
        self._soon.start()

    def _show(self) -> None:
        if not self._filters.is_searching:
            return
        rows = self._catalogue_rows()
        if self._filters.source != "catalogue" and self._search.status != "idle":
            rows += self._hub_rows(with_heading=bool(rows) or self._filters.source == "both")
        if not any(isinstance(row, EntryRow | HubRow | NoteRow) for row in rows):
            rows = [self._nothing_row()]
        self._rows.show_rows(rows)
        self.mark(self._subject)

    def _catalogue_rows(self) -> list[Row]:
        if self._filters.source == "hub":
            return []
        shown = [entry for entry in self._found if self._is_wanted(entry)]
        rows: list[Row] = [EntryRow(entry) for entry in shown[: self._limit]]
        if rows and self._filters.source == "both" and not self._filters.collection:
            rows.insert(0, HeadingRow(self.tr("In the catalogue")))
        if len(shown) > self._limit:
            words = self.tr("{count} more in the catalogue")
            title = words.format(count=f"{len(shown) - self._limit:,}")
            rows.append(NoteRow(title, "", "more_entries", self.tr("Show more")))
        left_out = len(self._found) - len(shown)
        if left_out:
            words = self.tr("{count} more don't fit this computer.")
            if left_out == 1:
                words = self.tr("1 more doesn't fit this computer.")
            title = words.format(count=left_out)
            rows.append(NoteRow(title, "", "show_all_sizes", self.tr("Show all")))
        return rows

    def _is_wanted(self, entry: Entry) -> bool:
        # Collections show the fit instead: they are to be seen whole.
        return not self._filters.fits or bool(self._filters.collection) or self._entries.fits(entry)

    def _hub_rows(self, *, with_heading: bool) -> list[Row]:
        search = self._search
        found: list[Row] = []
        for each in search.found:
            fit = self._fit_of(each)
            too_large = fit is not None and fit.verdict == "too_large"
            if self._filters.admits(each) and not (self._filters.fits and too_large):
                found.append(HubRow(each, fit))
        self._count_pages(len(found))
        rows: list[Row] = [HeadingRow(self.tr("From Hugging Face"))] if with_heading else []
        rows += found
        if search.status == "failed" and self._offline:
            rows.append(offline_row())
        elif search.status == "failed" and search.problem is not None:
            rows.append(problem_row(search.problem))
        elif search.status == "more" and self._empty_pages >= _MOST_EMPTY_PAGES:
            title = self.tr("The filters leave out all that came last")
            rows.append(NoteRow(title, "", "look_further", self.tr("Look further")))
        elif search.status in ("searching", "more"):
            rows.append(NoteRow(self.tr("Asking Hugging Face…")))
        elif not found:
            rows.append(self._nothing_row(self.tr("Nothing on Hugging Face")))
        return rows

    def _count_pages(self, admitted: int) -> None:
        """Count the pages that brought nothing to show."""
        seen = len(self._search.found)
        if seen < self._results_seen or admitted > self._admitted:
            self._empty_pages = 0
        elif seen > self._results_seen:
            self._empty_pages += 1
        self._results_seen, self._admitted = seen, admitted

    def _nothing_row(self, title: str = "") -> NoteRow:
        title = title or self.tr("No results")
        if self._filters.narrows:
            text = self.tr("Try fewer or other words, or leave the filters off.")
            return NoteRow(title, text, "clear_filters", self.tr("Leave filters off"))
        return NoteRow(title, self.tr("Try fewer or other words."))

    def _fit_of(self, found: FoundRepository) -> Fit | None:
        machine = self._entries.machine
        if machine is None or not found.parameters:
            return None
        size = usual_bytes(found.parameters)
        return rough_fit(found.parameters, size, _USUAL_CONTEXT, machine.memory)

    def _load_more(self) -> None:
        """Fetch the next page when the end comes into sight."""
        if not self.isVisible() or self._filters.source == "catalogue":
            return
        if self._empty_pages >= _MOST_EMPTY_PAGES:
            return
        self.executeDelayedItemsLayout()
        bar = self.verticalScrollBar()
        if bar.maximum() - bar.value() <= _ROWS_AHEAD * 52:
            self._search.load_more()

    def _open(self, index: QModelIndex) -> None:
        match self._rows.row_at(index):
            case EntryRow(entry):
                self.entry_chosen.emit(entry)
            case HubRow(found, _):
                self.repository_chosen.emit(found)
            case NoteRow(act="retry"):
                self._search.retry()
            case NoteRow(act="settings"):
                self.settings_requested.emit()
            case NoteRow(act="more_entries"):
                self._limit += _MORE_ENTRIES
                self._show()
            case NoteRow(act="look_further"):
                self._empty_pages = 0
                self._search.load_more()
            case NoteRow(act="show_all_sizes"):
                self.all_sizes_requested.emit()
            case NoteRow(act="clear_filters"):
                self.clear_requested.emit()


def _is_from(catalogue_id: str, entry: Entry) -> bool:
    """Whether it comes from this catalogue, of which the ids begin with that of the catalogue."""
    return not catalogue_id or entry.id.startswith(f"{catalogue_id}/")
