"""What Discover knows of every entry: whether it fits, whether it is here, how far its download is."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.machine import Machine
from app.recommendations import Choice, best_of_family, choose, good_here
from catalog.catalogues.entries import Collection, Entry
from catalog.catalogues.entry_filter import EntryFilter, EntryIndex
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel
from ui.background import Background
from ui.models.discover_services import FitSource

_NOTABLE = 0.03
"""The part of the memory that must come or go before anything is reckoned anew."""


class EntryFacts(NamedTuple):
    """An entry and what is known of it on this computer. `choice` is None where there is no file."""

    entry: Entry
    choice: Choice | None = None
    installed: bool = False
    download: DownloadState | None = None


class DiscoverEntries(QObject):
    """Keeps the entries; what takes long is reckoned in the background.

    Attributes:
        entries, collections: as the catalogues have them.

    Signals:
        reckoned: which entries there are, or which fit, has changed.
        marks_changed: what is installed or being fetched has changed.
    """

    reckoned = Signal()
    marks_changed = Signal()

    def __init__(
        self, background: Background, fitting: FitSource, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._fitting = fitting
        self._machine: Machine | None = None
        self._entries_number = 0
        self._machine_number = 0
        self._index: EntryIndex | None = None
        self._choices: dict[str, Choice] = {}
        self._fits_are_known = False
        self._installed: frozenset[str] = frozenset()
        self._downloads: dict[str, DownloadState] = {}
        self.entries: tuple[Entry, ...] = ()
        self.collections: tuple[Collection, ...] = ()

    @property
    def knows_fits(self) -> bool:
        return self._fits_are_known

    @property
    def machine(self) -> Machine | None:
        return self._machine

    def show_entries(self, entries: Sequence[Entry], collections: Sequence[Collection]) -> None:
        if (tuple(entries), tuple(collections)) == (self.entries, self.collections):
            return
        self.entries, self.collections = tuple(entries), tuple(collections)
        self._entries_number += 1
        op = partial(EntryIndex, self.entries)
        self._background.run(self, op, partial(self._take_index, self._entries_number))
        self._choose()

    def show_machine(self, machine: Machine) -> None:
        """Small changes of the free memory change nothing: cards must not move about under the mouse."""
        if self._machine is None or has_changed(self._machine, machine):
            self._machine = machine
            self._choose()

    def show_installed(self, models: Iterable[InstalledModel]) -> None:
        installed = frozenset(model.entry.id for model in models if model.entry is not None)
        if installed != self._installed:
            self._installed = installed
            self.marks_changed.emit()

    def show_downloads(self, states: Iterable[DownloadState]) -> None:
        downloads = {
            state.request.entry_id: state
            for state in states
            if state.request.entry_id and state.phase != "done"
        }
        if downloads != self._downloads:
            self._downloads = downloads
            self.marks_changed.emit()

    def facts(self, entry: Entry) -> EntryFacts:
        return EntryFacts(
            entry,
            self._choices.get(entry.id),
            entry.id in self._installed,
            self._downloads.get(entry.id),
        )

    def find(self, wanted: EntryFilter) -> tuple[Entry, ...]:
        return self._index.find(wanted) if self._index is not None else ()

    def of_collection(self, collection_id: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.collection == collection_id)

    def fits(self, entry: Entry) -> bool:
        """Whether something of it fits. Where nobody knows, nobody is kept from trying."""
        choice = self._choices.get(entry.id)
        return choice is None or choice.fit.verdict == "fits"

    def good_here(self) -> tuple[Entry, ...]:
        """What fits, best first."""
        return good_here(self.entries, self._choices)

    def best_of_family(self, entries: Sequence[Entry]) -> Entry:
        """Which of them to show where one stands for all."""
        return best_of_family(entries, self._choices)

    def _take_index(self, number: int, index: EntryIndex) -> None:
        if number == self._entries_number:
            self._index = index
            self.reckoned.emit()

    def _choose(self) -> None:
        if self._machine is None:
            return
        self._machine_number += 1
        op = partial(choose, self.entries, self._fitting.rough)
        self._background.run(self, op, partial(self._take_choices, self._machine_number))

    def _take_choices(self, number: int, choices: dict[str, Choice]) -> None:
        if number == self._machine_number:
            self._choices = choices
            self._fits_are_known = True
            self.reckoned.emit()


def has_changed(before: Machine, now: Machine) -> bool:
    """Whether so much memory came or went that other things fit."""
    old, new = before.memory, now.memory
    moved = max(abs(new.free - old.free), abs(new.vram_free - old.vram_free))
    return moved > _NOTABLE * max(old.total, 1) or old.total != new.total


class Stop(NamedTuple):
    """A stop of a road: the entries of one family; the day is that of the first."""

    name: str
    published: str
    entries: tuple[Entry, ...]


def stops_of(entries: Sequence[Entry]) -> tuple[Stop, ...]:
    """The families of a road in order of time, one stop each."""
    families: dict[str, list[Entry]] = {}
    for entry in entries:
        families.setdefault(entry.family, []).append(entry)
    stops = [
        Stop(
            family if len(members) > 1 else members[0].name,
            min(entry.published for entry in members),
            tuple(members),
        )
        for family, members in families.items()
    ]
    return tuple(sorted(stops, key=lambda stop: stop.published))


def is_road(entries: Sequence[Entry]) -> bool:
    """Whether a collection tells a history: each of its entries has its day and what it showed."""
    return bool(entries) and all(entry.published and entry.showed for entry in entries)
