"""What a person looks for, and the chips and menus that say it."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from catalog.catalogues.entries import Entry, Kind
from catalog.catalogues.entry_filter import EntryFilter
from catalog.hub.records import FoundRepository, HubQuery, Sort
from ui.kit import ComboBox
from ui.kit.filter_chip import FilterChip
from ui.kit.flow import Flow
from ui.models.licence_words import licence_name
from ui.theme import Theme

Source = Literal["both", "catalogue", "hub"]

_SMALL_BYTES = 1_500_000_000
_BYTES_PER_PARAMETER = 0.6
"""Of the quants that most people take; the Hub can be asked for parameters only."""

_SIZES = (2, 4, 8, 16, 32)
_MOST_LICENCES = 16
_MENU_WIDTH = 168

_HUB_SIGNS = {
    "vision": ("image-text-to-text", "any-to-any", "image-to-text", "vision", "multimodal"),
    "reasoning": ("reasoning", "thinking", "deepseek-r1", "chain-of-thought"),
    "embedding": ("feature-extraction", "sentence-similarity", "sentence-transformers"),
}
"""Tags by which repositories of the Hub say what they are for."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that narrows the results. `collection` is its id, "" for all; so is
    `catalogue`, where one that the person added is looked through alone.

    `listing`: show a list also where nothing is searched for.
    """

    text: str = ""
    fits: bool = True
    small: bool = False
    reasoning: bool = False
    vision: bool = False
    embedding: bool = False
    adapters: bool = False
    licence: str = ""
    max_bytes: int = 0
    sort: Sort = "trending"
    collection: str = ""
    source: Source = "both"
    catalogue: str = ""
    listing: bool = False

    @property
    def is_searching(self) -> bool:
        """Whether results are wanted, rather than the sections."""
        chips = self.small or self.reasoning or self.vision or self.embedding or self.adapters
        return bool(self.text or chips or self.listing or self.collection)

    @property
    def narrows(self) -> bool:
        """Whether something besides the text leaves things out."""
        return self != Filters(
            text=self.text,
            sort=self.sort,
            source=self.source,
            catalogue=self.catalogue,
            listing=self.listing,
            fits=False,
        )

    @property
    def limit(self) -> int | None:
        """The largest file that is wanted, in bytes."""
        limits = [self.max_bytes] if self.max_bytes else []
        if self.small:
            limits.append(_SMALL_BYTES)
        return min(limits, default=None)

    def entry_filter(self) -> EntryFilter:
        """The same for the catalogue, but for the fit."""
        kinds: set[Kind] = set()
        if self.embedding:
            kinds.add("embedding")
        if self.adapters:
            kinds.add("adapter")
        wanted = (("reasoning", self.reasoning), ("vision", self.vision))
        return EntryFilter(
            text=self.text,
            kinds=frozenset(kinds),
            capabilities=frozenset(name for name, is_wanted in wanted if is_wanted),
            licence=self.licence,
            max_bytes=self.limit,
            collection=self.collection,
        )

    def hub_query(self) -> HubQuery:
        """The same for the Hub, as far as it can be asked. “OWNER/words” asks for one owner's."""
        author, slash, text = self.text.partition("/")
        if not slash or " " in author.strip():
            author, text = "", self.text
        limit = self.limit
        most = limit / _BYTES_PER_PARAMETER / 1e9 if limit else None
        return HubQuery(
            text=text.strip(),
            author=author.strip(),
            licence=self.licence.lower(),
            adapters=self.adapters,
            parameters=(None, most),
            sort=self.sort,
        )

    def admits(self, found: FoundRepository) -> bool:
        """Whether a repository is what the Hub couldn't be asked for, as far as its tags tell."""
        wanted = {
            "vision": self.vision,
            "reasoning": self.reasoning,
            "embedding": self.embedding,
        }
        tags = {tag.lower() for tag in found.tags}
        return all(
            tags.intersection(_HUB_SIGNS[name]) for name, is_wanted in wanted.items() if is_wanted
        )


def usual_bytes(parameters: int) -> int:
    """What the quant that most people take of so many parameters weighs."""
    return int(parameters * _BYTES_PER_PARAMETER)


class FilterBar(QWidget):
    """A row of chips, and below it, while results are shown, a row of menus.

    Signals:
        changed: a person wants something else.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = False
        self._chips = {
            "fits": FilterChip(theme, self.tr("Fits this computer")),
            "small": FilterChip(theme, self.tr("Small")),
            "reasoning": FilterChip(theme, self.tr("Reasoning")),
            "vision": FilterChip(theme, self.tr("Vision")),
            "embedding": FilterChip(theme, self.tr("Embedding")),
            "adapters": FilterChip(theme, self.tr("Adapters")),
        }
        self._chips["fits"].setChecked(True)
        self._chips["small"].setToolTip(self.tr("Up to 1.5 GB"))
        self._chips["embedding"].setToolTip(self.tr("For finding passages in documents"))
        self._licence = ComboBox(theme, self.tr("Licence"))
        self._size = ComboBox(theme, self.tr("Size"), _size_items(self))
        self._sort = ComboBox(
            theme,
            self.tr("Sort the results from Hugging Face"),
            (
                (self.tr("Trending"), "trending"),
                (self.tr("Most downloaded"), "downloads"),
                (self.tr("Newest"), "newest"),
            ),
        )
        self._licence.setMaximumWidth(_MENU_WIDTH)
        self.show_entries(())
        self._menus = Flow([self._size, self._licence, self._sort], 8)
        self._lay_out()
        for chip in self._chips.values():
            chip.toggled.connect(self._report)
        for menu in (self._licence, self._size, self._sort):
            menu.currentIndexChanged.connect(self._report)
        self.show_menus(False)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Offer the licences that there are."""
        counts: dict[str, int] = {}
        for entry in entries:
            if entry.licence.id:
                counts[entry.licence.id] = counts.get(entry.licence.id, 0) + 1
        most = sorted(counts, key=lambda licence: -counts[licence])[:_MOST_LICENCES]
        chosen = self._licence.currentData()
        self._quiet = True
        self._licence.clear()
        self._licence.addItem(self.tr("Any licence"), "")
        for licence in most:
            self._licence.addItem(licence_name(licence), licence)
        self._licence.setCurrentIndex(max(self._licence.findData(chosen), 0))
        self._quiet = False

    def show_menus(self, shown: bool, *, sort: bool = True) -> None:
        """Licence and size are for results; the order is the Hub's."""
        self._menus.setVisible(shown)
        self._sort.setVisible(sort)

    def apply_to(self, filters: Filters) -> Filters:
        """The same search, with what the chips and menus say."""
        on = {name: chip.isChecked() for name, chip in self._chips.items()}
        return msgspec.structs.replace(
            filters,
            **on,
            licence=self._licence.currentData() or "",
            max_bytes=self._size.currentData() or 0,
            sort=self._sort.currentData(),
        )

    def show_filters(self, filters: Filters) -> None:
        """Set chips and menus, without saying that they changed."""
        self._quiet = True
        for name, chip in self._chips.items():
            chip.setChecked(getattr(filters, name))
        self._licence.setCurrentIndex(max(self._licence.findData(filters.licence), 0))
        self._size.setCurrentIndex(max(self._size.findData(filters.max_bytes), 0))
        self._sort.select(filters.sort)
        self._quiet = False

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 8)
        column.setSpacing(8)
        column.addWidget(Flow([*self._chips.values()]))
        column.addWidget(self._menus)

    def _report(self) -> None:
        if not self._quiet:
            self.changed.emit()


def _size_items(bar: QWidget) -> list[tuple[str, object]]:
    words = bar.tr("Up to {size} GB")
    sizes = [(words.format(size=size), size * 1_000_000_000) for size in _SIZES]
    return [(bar.tr("Any size"), 0), *sizes]
