"""The navigation of the models page: its places, the collections, and where models come from."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.kit import IconButton, Label, NavItem, Panel
from ui.models.machine_foot import MachineFoot
from ui.theme import Theme

if TYPE_CHECKING:
    from app.machine import Machine

DISCOVER = "discover"
INSTALLED = "installed"
ADAPTERS = "adapters"
DOWNLOADS = "downloads"
SERVICES = "services"
COLLECTION = "collection:"
SOURCE = "source:"
PLACE = "place:"
GOOD_HERE = "good"


class NavPlace(msgspec.Struct, frozen=True):
    """A row of the navigation: the key that `place_chosen` tells, its title, how much is there."""

    key: str
    title: str
    count: int | None = None


class ModelsNav(Panel):
    """One row a place.

    Signals:
        place_chosen: one of the constants above, or a prefix and an id: a collection's, the kind of
            a place of the library, or the id of a source.
        file_requested: the person wants to add a model file.
    """

    place_chosen = Signal(str)
    file_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "r", parent)
        self._theme = theme
        self._items: dict[str, NavItem] = {}
        self._here = DISCOVER
        self._collections: tuple[NavPlace, ...] = ()
        self._sources: tuple[NavPlace, ...] = ()
        self._foot = MachineFoot(theme)
        self.setFixedWidth(theme.size("list"))
        self.setAccessibleName(self.tr("Models"))
        places = QWidget()
        self._column = QVBoxLayout(places)
        self._column.setContentsMargins(8, 0, 8, 8)
        self._column.setSpacing(0)
        for key, icon, title in (
            (DISCOVER, "compass", self.tr("Discover")),
            (INSTALLED, "hard-drive", self.tr("On this computer")),
            (ADAPTERS, "stack-simple", self.tr("Adapters")),
            (DOWNLOADS, "download-simple", self.tr("Downloads")),
            (SERVICES, "cloud", self.tr("Services")),
        ):
            self._column.addWidget(self._make_item(key, icon, title))
        self._fixed = self._column.count()
        self._column.addStretch(1)
        column = QVBoxLayout(self)
        # One pixel for the hairline at the right.
        column.setContentsMargins(0, 0, 1, 0)
        column.setSpacing(0)
        column.addLayout(self._make_head())
        column.addWidget(_scrolling(places), 1)
        column.addWidget(self._foot)
        self.show_place(DISCOVER)

    @property
    def here(self) -> str:
        """The key of the place that is shown."""
        return self._here

    def show_services(self, connected: int) -> None:
        """How many services are connected."""
        self._items[SERVICES].set_count(connected or None)

    def show_counts(self, *, models: int, adapters: int, downloads: int) -> None:
        """How much lies there. Of downloads, those that have not ended."""
        self._items[INSTALLED].set_count(models)
        self._items[ADAPTERS].set_count(adapters)
        self._items[DOWNLOADS].set_count(downloads or None)

    def show_places(self, collections: Iterable[NavPlace], sources: Iterable[NavPlace]) -> None:
        """The collections and sources there are now."""
        collections, sources = tuple(collections), tuple(sources)
        if (collections, sources) == (self._collections, self._sources):
            return
        same = _keys(collections) == _keys(self._collections)
        if same and _keys(sources) == _keys(self._sources):
            for place in (*collections, *sources):
                self._items[place.key].set_count(place.count)
        else:
            self._rebuild(collections, sources)
        self._collections, self._sources = collections, sources

    def show_machine(self, machine: "Machine") -> None:
        self._foot.show_machine(machine)

    def show_place(self, key: str) -> None:
        """Mark where the person is; a place that is not listed leaves the mark where it was."""
        if key in self._items:
            self._here = key
            self._items[key].setChecked(True)

    def take_focus(self) -> None:
        self._items[self._here].setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(16, 12, 8, 12)
        head.addWidget(Label(self._theme, self.tr("Models"), "strong"))
        head.addStretch(1)
        add = IconButton(self._theme, "plus", self.tr("Add a model file"), box=32, size=18)
        add.clicked.connect(self.file_requested)
        head.addWidget(add)
        return head

    def _rebuild(self, collections: Sequence[NavPlace], sources: Sequence[NavPlace]) -> None:
        while self._column.count() > self._fixed:
            item = self._column.takeAt(self._fixed)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for place in (*self._collections, *self._sources):
            self._items.pop(place.key, None)
        for title, places in (
            (self.tr("Collections"), collections),
            (self.tr("Sources"), sources),
        ):
            if places:
                self._column.addWidget(self._make_heading(title))
            for place in places:
                item_ = self._make_item(place.key, "", place.title)
                item_.set_count(place.count)
                self._column.addWidget(item_)
        self._column.addStretch(1)
        self.show_place(self._here if self._here in self._items else DISCOVER)

    def _make_heading(self, title: str) -> QWidget:
        heading = Label(self._theme, title, "caption", "text3")
        font = heading.font()
        font.setWeight(font.Weight.DemiBold)
        heading.setFont(font)
        heading.setFixedHeight(40)
        heading.setContentsMargins(8, 16, 0, 0)
        return heading

    def _make_item(self, key: str, icon: str, title: str) -> NavItem:
        item = NavItem(self._theme, icon, title)
        item.clicked.connect(self._choose)
        self._items[key] = item
        return item

    def _choose(self) -> None:
        for key, item in self._items.items():
            if item.isChecked():
                self._here = key
                self.place_chosen.emit(key)


def _keys(places: Iterable[NavPlace]) -> list[tuple[str, str]]:
    return [(place.key, place.title) for place in places]


def _scrolling(places: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidget(places)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.viewport().setAutoFillBackground(False)
    places.setAutoFillBackground(False)
    return scroll
