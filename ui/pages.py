"""The pages of the window, and the ways between them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from app.errors import Problem
from app.models import ChatModel
from app.server.config import ServerState
from app.settings import Settings, WindowValue
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel
from ui.arrivals import Arrivals
from ui.background import Background
from ui.chat.chat_page import ChatPage
from ui.damaged_files import DamagedFiles
from ui.downloads import Downloads, Snapshot
from ui.installed_models import Installed, InstalledModels
from ui.keys.key_places import KeyPlaces
from ui.keys.locked_keys import LockedKeys
from ui.kit import Toast
from ui.known_fits import KnownFits
from ui.models.download_words import fraction_of, summary_words
from ui.models.models_nav import ADAPTERS, DISCOVER, DOWNLOADS, SERVICES
from ui.offered_models import OfferedModels
from ui.outside_changes import OutsideChanges
from ui.server.server_page import ServerPage
from ui.server.server_watch import ServerWatch
from ui.server.server_work import ServerWork
from ui.settings.settings_page import SettingsPage
from ui.settings.settings_work import SettingsWork
from ui.startup import Opened
from ui.theme import Theme
from ui.welcome.welcome_work import WelcomeWork

if TYPE_CHECKING:
    from ui.models.models_page import ModelsPage

_OF_THE_LIBRARY = ("model_folders", "adopt_places")


class Pages(QObject):
    """Builds the pages and moves between them.

    Signals:
        place_changed: the rail's place that is shown now.
        title_changed: what is shown, for the window's title; empty where there is no name for it.
        fetching: the fraction of what is being fetched, None where nothing is; and that in words.
        serving: whether the local server is on, and that in words.
    """

    place_changed = Signal(str)
    title_changed = Signal(str)
    fetching = Signal(object, str)
    serving = Signal(bool, str)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        opened: Opened,
        toast: Toast,
        stack: QStackedWidget,
    ) -> None:
        super().__init__(stack)
        self._theme = theme
        self._background = background
        self._services = services = opened.services
        self._settings = services.settings
        self._toast = toast
        self._stack = stack
        self._starter = opened.starter
        self._downloads = Downloads(background, services.downloads, self)
        self._installed = InstalledModels(background, services.library, self)
        self._installed.now = Installed.of(opened.models)
        self._fits = KnownFits(background, services.fitting.of_model, self)
        self._arrivals = Arrivals(
            background, services, self._downloads, self._installed, toast, self
        )
        self._offered = OfferedModels(background, services.models, opened.offered, self)
        self._keys = KeyPlaces(theme, background, services.secrets, self)
        self._locked_keys = LockedKeys(self._keys, toast, stack)
        self._damaged = DamagedFiles(theme, background, services, stack)
        self._outside = OutsideChanges(background, services, self)
        self._chat = ChatPage(theme, background, opened, self._fits, toast)
        self._welcome: WelcomeWork | None = None
        self._models_page: ModelsPage | None = None
        self._settings_page: SettingsPage | None = None
        self._settings_work: SettingsWork | None = None
        self._server_watch = ServerWatch(services.server, self)
        self._server_work = ServerWork(theme, background, services, self._server_watch, toast, self)
        self._server_page: ServerPage | None = None
        stack.addWidget(self._chat)
        self._connect()

    def start(self, file: str) -> None:
        """Show the first page; `file` is a model to open with, or empty."""
        self._chat.start()
        self.show_place("chats")
        self._downloads.start()
        self._installed.refresh()
        self._installed.watch()
        self._offered.read()
        self._server_work.start_if_wanted()
        self._locked_keys.look(self._settings.current)
        self._background.run(self, _import_models_page)
        if file:
            self.open_file(file)
        self._outside.start()
        if self._settings.notice and self._settings.file.damage is None:
            self._toast.show_message(self._settings.notice)

    def show_place(self, place: str) -> None:
        match place:
            case "models":
                models = self._built_models_page()
                self._stack.setCurrentWidget(models)
                models.take_focus()
                self._installed.refresh()
            case "server":
                self._stack.setCurrentWidget(self._built_server_page())
            case "settings":
                self._stack.setCurrentWidget(self._built_settings_page())
            case "chats" if self._has_writers or self._chat.has_chats:
                self._stack.setCurrentWidget(self._chat)
                self._chat.take_focus()
            case _:
                welcome = self._built_welcome()
                self._stack.setCurrentWidget(welcome.page)
                welcome.show_progress()
                welcome.page.focus_first()
        self.place_changed.emit(place)
        self.title_changed.emit(self._chat.title if place == "chats" else "")

    def actions(self) -> Mapping[str, Callable[[], None]]:
        """What each shortcut does, by its id."""
        return {
            "new_chat": partial(self._in_chats, self._chat.new_chat),
            "search_chats": self._search,
            "next_chat": partial(self._in_chats, partial(self._chat.step_chat, 1)),
            "previous_chat": partial(self._in_chats, partial(self._chat.step_chat, -1)),
            "undo_delete": self._toast.undo,
            "focus_composer": partial(self._in_chats, self._chat.take_focus),
            "stop": self._chat.stop,
            "copy_answer": self._chat.copy_last_answer,
            "show_chats": partial(self.show_place, "chats"),
            "show_models": partial(self.show_place, "models"),
            "show_server": partial(self.show_place, "server"),
            "show_settings": partial(self.show_place, "settings"),
            "toggle_list": self._chat.toggle_list,
            "toggle_inspector": self._chat.toggle_inspector,
            "show_shortcuts": self._show_shortcuts,
        }

    def open_file(self, file: str | Path) -> None:
        """Use a model file where it lies, and go to the chats with it."""
        if self._welcome is not None:
            self._welcome.page.show_opening()
        self._arrivals.add(Path(file), self._chat_with, self._file_refused)

    def adopt_files(self, files: Sequence[Path]) -> None:
        """Add model files that were dropped somewhere on the window."""
        if self._shown_welcome is not None:
            self.open_file(files[0])
        else:
            self._arrivals.adopt(files)

    @property
    def _has_writers(self) -> bool:
        return bool(self._installed.now.writers or self._offered.now)

    def layout_state(self) -> dict[str, WindowValue]:
        return self._chat.layout_state()

    def stop_work(self) -> None:
        self._chat.stop_work()
        if self._models_page is not None:
            self._models_page.stop_work()
        if self._settings_work is not None:
            self._settings_work.stop()
        self._server_watch.stop()
        self._downloads.stop()
        # The queue first: to a download, a Hub that is closed would be a failure.
        self._services.downloads.close()
        self._services.hub.close()
        self._installed.stop()
        self._outside.stop()

    def save_draft(self) -> None:
        """At the very end, when nothing runs in the background any more."""
        self._chat.save_draft()

    def _connect(self) -> None:
        self._chat.models_requested.connect(partial(self._show_models_place, DISCOVER))
        self._chat.adapters_requested.connect(partial(self._show_models_place, ADAPTERS))
        self._chat.services_requested.connect(partial(self._show_models_place, SERVICES))
        self._chat.title_changed.connect(self.title_changed)
        self._server_watch.changed.connect(self._show_server)
        self._server_watch.settled.connect(self._show_kept_chats)
        self._locked_keys.usable.connect(self._server_work.start_if_wanted)
        self._server_work.settings_changed.connect(self._apply_settings)
        self._installed.changed.connect(self._show_writers)
        self._offered.changed.connect(self._show_offered)
        self._downloads.changed.connect(self._show_downloads)
        self._downloads.finished.connect(self._download_finished)
        self._downloads.failed.connect(self._download_failed)
        self._arrivals.chat_requested.connect(self._chat_with)
        self._arrivals.show_requested.connect(self._show_model)
        self._arrivals.downloads_requested.connect(partial(self._show_models_place, DOWNLOADS))

        self._outside.setting_changed.connect(self._take_over)
        self._outside.keys_changed.connect(self._keys.read)
        self._outside.looked.connect(self._damaged.look)
        self._outside.choices_changed.connect(self._read_choices)

    def _in_chats(self, action: Callable[[], None]) -> None:
        if self._stack.currentWidget() is not self._chat:
            self.show_place("chats")
        if self._stack.currentWidget() is self._chat:
            action()

    def _search(self) -> None:
        """In what is shown: the models, else the chats."""
        if self._models_page is not None and self._stack.currentWidget() is self._models_page:
            self._models_page.focus_search()
        else:
            self._in_chats(self._chat.focus_search)

    def _built_welcome(self) -> WelcomeWork:
        if self._welcome is None:
            self._welcome = WelcomeWork(
                self._theme, self._starter, self._downloads, self._arrivals, self
            )
            self._welcome.model_found.connect(self._chat_with)
            page = self._welcome.page
            page.file_chosen.connect(self.open_file)
            page.models_requested.connect(partial(self._show_models_place, DISCOVER))
            self._stack.addWidget(page)
        return self._welcome

    @property
    def _shown_welcome(self) -> WelcomeWork | None:
        """The welcome page, if it is the one that is shown."""
        welcome = self._welcome
        is_shown = welcome is not None and self._stack.currentWidget() is welcome.page
        return welcome if is_shown else None

    def _built_models_page(self) -> "ModelsPage":
        if self._models_page is None:
            from ui.models.models_page import ModelsPage

            page = self._models_page = ModelsPage(
                self._theme,
                self._background,
                self._services,
                self._downloads,
                self._installed,
                self._fits,
                self._keys,
                self._toast,
            )
            page.chat_requested.connect(self._chat_with)
            page.adapter_requested.connect(self._chat_with_adapter)
            page.arrived_requested.connect(self._chat_with_arrived)
            page.file_chosen.connect(self._adopt_file)
            page.settings_requested.connect(self._show_settings_section)
            page.services_changed.connect(self._offered.read)
            page.show_offline(self._settings.current.offline)
            self._stack.addWidget(page)
        return self._models_page

    def _built_settings_page(self) -> SettingsPage:
        if self._settings_page is None:
            page = self._settings_page = SettingsPage(self._theme, self._services.paths)
            self._settings_work = SettingsWork(self._background, self._services, self._keys, page)
            self._settings_work.applied.connect(self._apply_settings)
            self._settings_work.catalogues_changed.connect(self._catalogues_changed)
            self._stack.addWidget(page)
        return self._settings_page

    def _built_server_page(self) -> ServerPage:
        if self._server_page is None:
            page = self._server_page = ServerPage(self._theme)
            self._server_work.show_on(page)
            self._stack.addWidget(page)
        return self._server_page

    def _show_server(self, state: ServerState) -> None:
        on = state.phase == "on"
        words = self.tr("On at {address}").format(address=state.addresses[0]) if on else ""
        self.serving.emit(on, words)

    def _show_kept_chats(self) -> None:
        if self._settings.current.serve_keep_chats:
            self._chat.refresh_rows()

    def _show_shortcuts(self) -> None:
        self._show_settings_section("shortcuts")

    def _show_settings_section(self, section: str) -> None:
        self.show_place("settings")
        self._built_settings_page().show_section(section)

    def _show_models_place(self, place: str) -> None:
        self.show_place("models")
        self._built_models_page().show_place(place)

    # Models

    def _show_downloads(self, snapshot: Snapshot) -> None:
        running = [s for s in snapshot.states if s.phase == "running"]
        fractions = [fraction_of(state) or 0.0 for state in running]
        fraction = sum(fractions) / len(fractions) if fractions else None
        self.fetching.emit(fraction, summary_words(snapshot.states))
        if welcome := self._shown_welcome:
            welcome.show_progress()

    def _download_finished(self, state: DownloadState) -> None:
        welcome = self._shown_welcome
        if welcome is not None and welcome.fetches(state):
            return  # it is being opened
        if self._shows_downloads():
            self._installed.refresh()
        else:
            self._arrivals.find(state, partial(self._arrivals.offer, state))

    def _download_failed(self, state: DownloadState) -> None:
        if self._shown_welcome is None and not self._shows_downloads():
            self._arrivals.tell_failure(state)

    def _shows_downloads(self) -> bool:
        """The page of downloads says it all itself, and has the same buttons."""
        return self._models_page is not None and self._models_page.shows_downloads

    def _chat_with_arrived(self, state: DownloadState) -> None:
        self._arrivals.find(state, self._chat_with)

    def _adopt_file(self, file: Path) -> None:
        self._arrivals.adopt([file])

    def _chat_with(self, model: ChatModel) -> None:
        now = self._installed.now
        is_new = all(known.id != model.id for known in now.models)
        if isinstance(model, InstalledModel) and is_new:
            self._installed.now = now._replace(models=(*now.models, model))
        self._chat.use_model(model)
        self.show_place("chats")

    def _chat_with_adapter(self, adapter_id: str, fitting: tuple[InstalledModel, ...]) -> None:
        self._chat.use_adapter(adapter_id, fitting)
        self.show_place("chats")

    def _show_model(self, model: InstalledModel) -> None:
        self.show_place("models")
        self._built_models_page().show_model(model)

    def _file_refused(self, problem: Problem) -> None:
        if welcome := self._shown_welcome:
            welcome.refuse_file(problem)
        else:
            self._toast.show_message(problem.sentence())

    def _show_writers(self) -> None:
        self._chat.show_models((*self._installed.now.writers, *self._offered.now))

    def _show_offered(self) -> None:
        self._show_writers()
        welcome = self._shown_welcome
        if welcome is not None and not welcome.is_fetching:
            self.show_place("chats")

    def _apply_settings(self, key: str, current: Settings) -> None:
        self._theme.set_preference(current.theme)
        self._chat.show_offline(current.offline)
        if key in _OF_THE_LIBRARY:
            self._installed.refresh()
        if self._models_page is not None:
            self._models_page.show_offline(current.offline)

    def _take_over(self, key: str, current: Settings) -> None:
        """The command line changed a setting."""
        if self._settings_work is not None:
            self._settings_work.take_over(key, current)
        else:
            self._apply_settings(key, current)
        if key.startswith("serve"):
            self._server_work.take_over(key, current)
        if key == "catalogues" and self._settings_work is None:
            self._catalogues_changed()
        if key == "chat_defaults":
            self._show_writers()

    def _read_choices(self) -> None:
        """The command line may have changed services or profiles."""
        self._offered.read()
        self._show_writers()
        if self._models_page is not None:
            self._models_page.read_again()

    def _catalogues_changed(self) -> None:
        self._installed.refresh()
        if self._models_page is not None:
            self._models_page.show_catalogues()


def _import_models_page() -> None:
    """Ahead of the first visit: it takes longer than building the page."""
    import ui.models.models_page  # noqa: F401
