"""The pages of the window, and the ways between them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QStackedWidget

from app.errors import Problem, problem_from
from app.installs import fetched_bytes
from app.settings import Settings, WindowValue
from catalog.bundled import STARTER_ID
from catalog.downloads.fetch import DownloadProgress
from catalog.entries import Entry
from catalog.library import InstalledModel
from ui.background import Background
from ui.chat.chat_page import ChatPage
from ui.kit import Toast
from ui.model_download import ModelDownload
from ui.models_page import ModelsPage
from ui.settings_page import SettingsPage
from ui.startup import Opened
from ui.theme import Theme
from ui.welcome import WelcomePage


class Pages(QObject):
    """Builds the pages and moves between them.

    Signals:
        place_changed: the rail's place that is shown now.
        title_changed: what is shown, for the window's title; empty where there is no name for it.
        fetching: the fraction of a running download, None when it ended.
    """

    place_changed = Signal(str)
    title_changed = Signal(str)
    fetching = Signal(object)

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
        self._services = opened.services
        self._settings = opened.services.settings
        self._toast = toast
        self._stack = stack
        self._models = opened.models
        self._show_chats_after_install = False
        starter = opened.services.catalogue.entry(STARTER_ID)
        assert starter is not None, "the bundled catalogue has the starter"
        self._starter: Entry = starter
        self._download = ModelDownload(background, opened.services, self)
        self._chat = ChatPage(theme, background, opened, toast)
        self._welcome: WelcomePage | None = None
        self._models_page: ModelsPage | None = None
        self._settings_page: SettingsPage | None = None
        stack.addWidget(self._chat)
        self._chat.models_requested.connect(partial(self.show_place, "models"))
        self._chat.title_changed.connect(self.title_changed)
        self._download.progressed.connect(self._show_progress)
        self._download.installed.connect(self._model_arrived)
        self._download.cancelled.connect(self._download_cancelled)
        self._download.failed.connect(self._download_failed)

    def start(self, file: str) -> None:
        """Show the first page; `file` is a model to open with, or empty."""
        self._chat.start()
        self.show_place("chats")
        if file:
            self.open_file(file)
        if self._settings.notice:
            self._toast.show_message(self._settings.notice)

    def show_place(self, place: str) -> None:
        match place:
            case "models":
                models = self._built_models_page()
                self._stack.setCurrentWidget(models)
                if not self._download.running:
                    self._with_fetched_bytes(models.show_idle)
                self._refresh_models()
            case "settings":
                self._stack.setCurrentWidget(self._built_settings_page())
            case "chats" if self._models or self._chat.has_chats:
                self._stack.setCurrentWidget(self._chat)
                self._chat.take_focus()
            case _:
                page = self._built_welcome()
                self._stack.setCurrentWidget(page)
                if not self._download.running:
                    self._with_fetched_bytes(page.show_idle)
                page.focus_first()
        self.place_changed.emit(place)
        self.title_changed.emit(self._chat.title if place == "chats" else "")

    def actions(self) -> Mapping[str, Callable[[], None]]:
        """What each shortcut does, by its id."""
        return {
            "new_chat": partial(self._in_chats, self._chat.new_chat),
            "search_chats": partial(self._in_chats, self._chat.focus_search),
            "next_chat": partial(self._in_chats, partial(self._chat.step_chat, 1)),
            "previous_chat": partial(self._in_chats, partial(self._chat.step_chat, -1)),
            "focus_composer": partial(self._in_chats, self._chat.take_focus),
            "stop": self._chat.stop,
            "copy_answer": self._chat.copy_last_answer,
            "show_chats": partial(self.show_place, "chats"),
            "show_models": partial(self.show_place, "models"),
            "show_settings": partial(self.show_place, "settings"),
            "toggle_list": self._chat.toggle_list,
            "toggle_inspector": self._chat.toggle_inspector,
            "show_shortcuts": self._show_shortcuts,
        }

    def open_file(self, file: str | Path) -> None:
        """Use a model file where it lies, and go to the chats with it."""
        if self._welcome is not None:
            self._welcome.show_opening()
        self._show_chats_after_install = True
        add = partial(self._services.library.add_file, Path(file))
        self._background.run_in_order(self, add, self._model_arrived, self._file_refused)

    def layout_state(self) -> dict[str, WindowValue]:
        return self._chat.layout_state()

    def stop_work(self) -> None:
        self._download.cancel()
        self._chat.stop_work()

    def save_draft(self) -> None:
        """At the very end, when nothing runs in the background any more."""
        self._chat.save_draft()

    def _in_chats(self, action: Callable[[], None]) -> None:
        if self._stack.currentWidget() is not self._chat:
            self.show_place("chats")
        if self._stack.currentWidget() is self._chat:
            action()

    def _built_welcome(self) -> WelcomePage:
        if self._welcome is None:
            page = self._welcome = WelcomePage(self._theme, self._starter)
            page.start_requested.connect(self._fetch_and_chat)
            page.cancel_requested.connect(self._download.cancel)
            page.file_chosen.connect(self.open_file)
            page.models_requested.connect(partial(self.show_place, "models"))
            self._stack.addWidget(page)
        return self._welcome

    def _built_models_page(self) -> ModelsPage:
        if self._models_page is None:
            page = self._models_page = ModelsPage(self._theme, self._starter)
            page.get_requested.connect(self._fetch)
            page.cancel_requested.connect(self._download.cancel)
            page.import_requested.connect(self._import_file)
            page.remove_requested.connect(self._remove)
            page.chat_requested.connect(self._chat_with)
            self._stack.addWidget(page)
        return self._models_page

    def _built_settings_page(self) -> SettingsPage:
        if self._settings_page is None:
            page = self._settings_page = SettingsPage(self._theme, self._services.paths)
            page.setting_changed.connect(self._change_setting)
            page.folder_requested.connect(self._open_folder)
            page.show_settings(self._settings.current)
            self._stack.addWidget(page)
        return self._settings_page

    def _show_shortcuts(self) -> None:
        self.show_place("settings")
        self._built_settings_page().show_section("shortcuts")

    # Models

    def _fetch_and_chat(self) -> None:
        self._show_chats_after_install = True
        self._download.start(self._starter)

    def _fetch(self) -> None:
        self._show_chats_after_install = False
        self._download.start(self._starter)

    def _import_file(self, path: Path) -> None:
        add = partial(self._services.library.add_file, path)
        self._show_chats_after_install = False
        self._background.run_in_order(self, add, self._model_arrived, self._file_refused)

    def _show_progress(self, progress: DownloadProgress) -> None:
        self.fetching.emit(progress.done / progress.total if progress.total else 0.0)
        for page in (self._welcome, self._models_page):
            if page is not None:
                page.show_progress(progress)

    def _model_arrived(self, model: InstalledModel) -> None:
        self.fetching.emit(None)
        go = self._show_chats_after_install
        self._models = (*self._models, model)
        self._chat.use_model(model)
        self._refresh_models()
        if go:
            self.show_place("chats")

    def _download_cancelled(self) -> None:
        self.fetching.emit(None)
        self._with_fetched_bytes(self._show_not_fetching)

    def _download_failed(self, problem: Problem) -> None:
        self.fetching.emit(None)
        self._with_fetched_bytes(partial(self._show_not_fetching, problem=problem))

    def _with_fetched_bytes(self, then: Callable[[int], None]) -> None:
        services, settings = self._services, self._settings.current
        self._background.run(
            self, partial(fetched_bytes, self._starter, services.paths, settings), then
        )

    def _show_not_fetching(self, fetched: int, problem: Problem | None = None) -> None:
        for page in (self._welcome, self._models_page):
            if page is not None and problem is not None:
                page.show_failed(problem, fetched)
            elif page is not None:
                page.show_idle(fetched)

    def _file_refused(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        if self._stack.currentWidget() is self._welcome and self._welcome is not None:
            if self._download.running:
                self._welcome.show_problem(problem)
            else:
                self._with_fetched_bytes(partial(self._welcome.show_refused, problem))
        else:
            self._toast.show_message(problem.sentence())

    def _refresh_models(self) -> None:
        self._background.run_in_order(self, self._services.library.models, self._show_models)

    def _show_models(self, models: tuple[InstalledModel, ...]) -> None:
        self._models = models
        self._chat.show_models(models)
        if self._models_page is not None:
            self._models_page.show_models(models, self._services.library.problems)

    def _remove(self, model: InstalledModel) -> None:
        def remove() -> None:
            engines = self._services.engines
            if engines.state.model_id == model.id:
                engines.unload()
            self._services.library.remove(model.id)

        self._background.run(self, remove, lambda _: self._refresh_models(), self._file_refused)

    def _chat_with(self, model: InstalledModel) -> None:
        self._chat.use_model(model)
        self.show_place("chats")

    # Settings

    def _change_setting(self, key: str, value: object) -> None:
        """Saving waits for the disk, so not on this thread. The row shows the value already."""
        save = partial(self._settings.update, **{key: value})
        refuse = partial(self._refuse_setting, key)
        self._background.run_in_order(self, save, self._apply_settings, refuse)

    def _apply_settings(self, current: Settings) -> None:
        self._theme.set_preference(current.theme)

    def _refuse_setting(self, key: str, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._built_settings_page().show_refused(key, problem)

    def _open_folder(self, folder: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
