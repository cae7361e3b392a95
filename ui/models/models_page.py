"""The models page: its navigation, its places, and the panel at their side."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.engines import EngineState
from catalog.adapters.fit import AdapterFit
from catalog.catalogues.catalogues import KnownCatalogue
from catalog.catalogues.entries import Collection, Entry
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel, LibraryProblem
from catalog.library.installed import PlaceKind
from ui.background import Background, Task
from ui.chat.engine_watch import EngineWatch
from ui.downloads import Downloads, Snapshot
from ui.installed_models import Installed, InstalledModels
from ui.keys.key_places import KeyPlaces
from ui.kit import Toast
from ui.known_adapters import KnownAdapters
from ui.known_fits import KnownFits
from ui.model_files import ask_for_model_file
from ui.models.detail_panel import DetailPanel, Subject
from ui.models.discover_page import DiscoverPage
from ui.models.downloads_page import DownloadsPage
from ui.models.installed_page import InstalledPage
from ui.models.making.making_work import MakingWork
from ui.models.making.work_strip import WorkStrip
from ui.models.model_details import ModelDetailsPanel
from ui.models.model_work import ModelWork
from ui.models.models_nav import (
    ADAPTERS,
    COLLECTION,
    DISCOVER,
    DOWNLOADS,
    GOOD_HERE,
    INSTALLED,
    PLACE,
    SERVICES,
    SOURCE,
    ModelsNav,
)
from ui.models.nav_places import (
    CATALOGUE,
    HUB,
    collection_places,
    source_places,
    title_of_catalogue,
)
from ui.models.services.services_work import ServicesWork
from ui.models.side_place import SidePlace
from ui.theme import Theme

if TYPE_CHECKING:
    from app.machine import Machine
    from app.services import Services

_LOOK_AGAIN_MS = 5000


class _Catalogues(NamedTuple):
    known: tuple[KnownCatalogue, ...]
    entries: tuple[Entry, ...]
    collections: tuple[Collection, ...]


class ModelsPage(QWidget):
    """What can be had, what is here, and what is on its way.

    Signals:
        chat_requested: chat with this `InstalledModel`.
        adapter_requested: use the adapter of that id in the chat, with one of these
            `InstalledModel`s.
        arrived_requested: chat with what this `DownloadState` has fetched.
        file_chosen: add the model file at this `Path`.
        settings_requested: show this section of the settings.
        services_changed: other services are connected now, or offer other models.
    """

    chat_requested = Signal(object)
    adapter_requested = Signal(str, object)
    arrived_requested = Signal(object)
    file_chosen = Signal(object)
    settings_requested = Signal(str)
    services_changed = Signal()

    def __init__(
        self,
        theme: Theme,
        background: Background,
        services: "Services",
        downloads: Downloads,
        installed: InstalledModels,
        fits: KnownFits,
        keys: KeyPlaces,
        toast: Toast,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._services = services
        self._downloads = downloads
        self._installed = installed
        self._fits = fits
        self._catalogues = _Catalogues((), (), ())
        self._refresh: Task | None = None
        self._nav = ModelsNav(theme)
        self._place = SidePlace()
        self._discover = DiscoverPage(theme, background, services.hub, services.fitting)
        self._models = InstalledPage(theme, "models", fits.of)
        self._glances = KnownAdapters(background, services.adapters.glance, self)
        self._adapters = InstalledPage(theme, "adapters", fits.of, self._glances.of)
        self._downloads_page = DownloadsPage(theme, downloads)
        self._connecting = ServicesWork(theme, background, services.connections, keys, toast, self)
        self._detail = DetailPanel(
            theme, background, services.hub, services.fitting, services.adapters
        )
        self._details = ModelDetailsPanel(theme)
        self._work = ModelWork(background, services, installed, fits, self._details, toast)
        self._strip = WorkStrip(theme)
        self._making = MakingWork(theme, background, services, installed, self._strip, toast, self)
        self._engine = EngineWatch(services.engines, self)
        self._again = QTimer(self, interval=_LOOK_AGAIN_MS)
        self._again.timeout.connect(self._look_at_machine)
        for page in (
            self._discover,
            self._models,
            self._adapters,
            self._downloads_page,
            self._connecting.page,
        ):
            self._place.pages.addWidget(page)
        for panel in (self._detail, self._details):
            self._place.side.addWidget(panel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._nav)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self._place, 1)
        column.addWidget(self._strip)
        row.addLayout(column, 1)
        self._connect()
        self._show_engine(self._engine.state)
        self._show_installed(installed.now)
        self._show_downloads(downloads.now)
        self.show_catalogues()
        self._refresh_catalogues()

    def show_place(self, key: str) -> None:
        """Go to a place of the navigation."""
        self._nav.show_place(key)
        self._go(key)

    def show_model(self, model: InstalledModel) -> None:
        """Go to where it is listed, and show its details."""
        self.show_place(ADAPTERS if model.kind == "adapter" else INSTALLED)
        self._open(model)
        self._current_list().select(model.path)

    @property
    def shows_downloads(self) -> bool:
        """Whether the person sees there what happens to downloads."""
        return self.isVisible() and self._place.pages.currentWidget() is self._downloads_page

    def take_focus(self) -> None:
        """Give the keys to the navigation."""
        self._nav.take_focus()

    def show_offline(self, offline: bool) -> None:
        self._downloads_page.show_offline(offline)
        self._discover.show_offline(offline)
        self._connecting.page.show_offline(offline)

    def read_again(self) -> None:
        """Services or profiles may have been changed elsewhere."""
        self._connecting.read()
        self._work.profiles.read_again()

    def show_catalogues(self) -> None:
        """Read again what the catalogues hold; they may have to be read from the disk."""
        catalogues = self._services.catalogues

        def read() -> _Catalogues:
            return _Catalogues(catalogues.known(), catalogues.entries(), catalogues.collections())

        self._background.run(self, read, self._show_catalogues)

    def focus_search(self) -> None:
        match self._place.pages.currentWidget():
            case InstalledPage() as page:
                page.focus_search()
            case page:
                if page is not self._discover:
                    self.show_place(DISCOVER)
                self._discover.focus_search()

    def choose_file(self) -> None:
        """Ask for a model file to add."""
        ask_for_model_file(self, self._choose_file)

    def stop_work(self) -> None:
        """The program ends."""
        self._details.profiles.flush()
        self._work.cancel_check()
        self._making.stop()
        self._engine.stop()
        if self._refresh is not None:
            self._refresh.cancel()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fits.forget()
        self._look_at_machine()
        self._again.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._again.stop()

    def _refresh_catalogues(self) -> None:
        """Once a run of the program: fetch what is new in those that the person added."""
        current = self._services.settings.current
        if current.catalogues and not current.offline:
            self._refresh = self._background.look_up(
                self, self._services.catalogues.refresh, lambda _: self.show_catalogues()
            )

    def _connect(self) -> None:
        self._nav.place_chosen.connect(self._go)
        self._nav.file_requested.connect(self.choose_file)
        for page in (self._models, self._adapters):
            page.opened.connect(self._open)
            page.walked_to.connect(self._walk_to)
            page.chat_requested.connect(self.chat_requested)
            page.file_requested.connect(self.choose_file)
            page.discover_requested.connect(partial(self.show_place, DISCOVER))
        self._downloads_page.chat_requested.connect(self.arrived_requested)
        self._downloads_page.show_requested.connect(self._show_arrived)
        self._downloads_page.discover_requested.connect(partial(self.show_place, DISCOVER))
        self._downloads_page.settings_requested.connect(self.settings_requested)
        self._connecting.page.settings_requested.connect(self.settings_requested)
        self._connecting.changed.connect(self.services_changed)
        self._connecting.counted.connect(self._nav.show_services)
        self._discover.subject_chosen.connect(self._open_subject)
        self._discover.settings_requested.connect(self.settings_requested)
        self._detail.subject_chosen.connect(self._discover.mark)
        self._detail.search_requested.connect(self._discover.search_for)
        self._detail.download_requested.connect(self._downloads.add)
        self._detail.convert_requested.connect(self._making.convert_repository)
        self._detail.pause_requested.connect(self._downloads.pause)
        self._detail.chat_requested.connect(self.chat_requested)
        self._detail.settings_requested.connect(self.settings_requested)
        self._detail.show_downloads_requested.connect(partial(self.show_place, DOWNLOADS))
        self._detail.closed.connect(self._place.close_side)
        self._details.closed.connect(self._place.close_side)
        self._details.chat_requested.connect(self.chat_requested)
        self._work.gone.connect(self._place.close_side)
        self._work.adapter_requested.connect(self.adapter_requested)
        self._work.adapters_requested.connect(partial(self.show_place, ADAPTERS))
        self._work.merge_requested.connect(self._making.merge)
        self._work.adapter_merge_requested.connect(self._making.merge_adapter)
        self._work.quantize_requested.connect(self._making.quantize)
        self._adapters.folder_requested.connect(self._making.choose_folder)
        self._adapters.repository_requested.connect(self._making.choose_repository)
        self._glances.changed.connect(self._adapters.show_fits)
        self._making.made.connect(self._use_made)
        self._place.closed.connect(self._side_closed)
        self._installed.changed.connect(self._show_installed)
        self._downloads.changed.connect(self._show_downloads)
        self._fits.changed.connect(self._models.show_fits)
        self._engine.changed.connect(self._show_engine)

    def _go(self, key: str) -> None:
        """Show the page of a place; the panel of another page goes."""
        before = self._place.pages.currentWidget()
        if key in (INSTALLED, ADAPTERS) or key.startswith(PLACE):
            page = self._adapters if key == ADAPTERS else self._models
            place = cast(PlaceKind, key.removeprefix(PLACE)) if key.startswith(PLACE) else None
            page.keep_place(place)
            self._place.pages.setCurrentWidget(page)
        elif key == DOWNLOADS:
            self._place.pages.setCurrentWidget(self._downloads_page)
        elif key == SERVICES:
            self._place.pages.setCurrentWidget(self._connecting.page)
        else:
            self._place.pages.setCurrentWidget(self._discover)
            self._go_in_discover(key)
        if before is not self._place.pages.currentWidget():
            self._place.close_side()

    def _go_in_discover(self, key: str) -> None:
        if key == GOOD_HERE:
            self._discover.show_good_here()
        elif key.startswith(COLLECTION):
            self._discover.show_collection(key.removeprefix(COLLECTION))
        elif key == HUB:
            self._discover.show_source("hub")
        elif key == CATALOGUE:
            self._discover.show_source("catalogue")
        elif key.startswith(SOURCE):
            catalogue_id = key.removeprefix(SOURCE)
            title = title_of_catalogue(catalogue_id, self._catalogues.known)
            self._discover.show_catalogue(catalogue_id, title)

    def _current_list(self) -> InstalledPage:
        here = self._place.pages.currentWidget()
        return self._adapters if here is self._adapters else self._models

    def _open(self, row: InstalledModel | LibraryProblem) -> None:
        self._work.show(row)
        self._place.open(self._details)

    def _open_subject(self, subject: Subject) -> None:
        self._detail.show_subject(subject)
        self._place.open(self._detail)

    def _walk_to(self, row: InstalledModel | LibraryProblem) -> None:
        """The arrows change what an open panel shows, and open none."""
        if self._place.is_open and self._place.side.currentWidget() is self._details:
            self._work.show(row)

    def _side_closed(self, had_focus: bool) -> None:
        self._discover.mark(None)
        here = self._place.pages.currentWidget()
        if had_focus and isinstance(here, InstalledPage):
            here.take_focus()
        elif had_focus and here is self._discover:
            self._discover.focus_list()

    def _use_made(self, made: InstalledModel) -> None:
        if made.kind != "adapter":
            self.chat_requested.emit(made)
            return

        def use(fits: tuple[tuple[InstalledModel, AdapterFit], ...]) -> None:
            fitting = tuple(model for model, fit in fits if fit.fits and model.writes)
            if fitting:
                self.adapter_requested.emit(made.id, fitting)

        self._background.run(self, partial(self._services.adapters.models_for, made), use)

    def _show_arrived(self, state: DownloadState) -> None:
        path = Path(state.path)
        for model in (*self._installed.now.models, *self._installed.now.adapters):
            if model.path == path:
                self.show_model(model)
                return

    def _choose_file(self, path: str) -> None:
        self.file_chosen.emit(Path(path))

    def _show_installed(self, installed: Installed) -> None:
        self._glances.forget()  # other models may be here
        self._models.show_rows(installed.models, installed.problems)
        self._adapters.show_rows(installed.adapters)
        everything = (*installed.models, *installed.adapters)
        self._discover.show_installed(everything)
        self._detail.show_installed(everything)
        self._show_nav()

    def _show_engine(self, state: EngineState) -> None:
        self._models.show_loaded(state.model_id if state.phase in ("ready", "busy") else "")

    def _show_downloads(self, snapshot: Snapshot) -> None:
        self._discover.show_downloads(snapshot.states)
        self._detail.show_downloads(snapshot.states)
        self._show_counts()

    def _show_catalogues(self, catalogues: _Catalogues) -> None:
        self._catalogues = catalogues
        self._discover.show_entries(catalogues.entries, catalogues.collections)
        self._detail.show_entries(catalogues.entries, catalogues.collections)
        self._show_nav()

    def _show_nav(self) -> None:
        catalogues = self._catalogues
        self._nav.show_places(
            collection_places(catalogues.collections) if catalogues.entries else (),
            source_places(catalogues.known, self._installed.now.models),
        )
        self._show_counts()

    def _show_counts(self) -> None:
        states = self._downloads.now.states
        self._nav.show_counts(
            models=len(self._installed.now.models),
            adapters=len(self._installed.now.adapters),
            downloads=sum(state.phase != "done" for state in states),
        )

    def _look_at_machine(self) -> None:
        self._background.run(self, self._services.machine, self._show_machine)

    def _show_machine(self, machine: "Machine") -> None:
        self._nav.show_machine(machine)
        self._discover.show_machine(machine)
        self._detail.show_machine(machine)
