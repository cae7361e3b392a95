"""What the server's page asks of the program's parts."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from app.errors import AppError, Problem, problem_from
from app.server.config import LOOPBACK_HOSTS, ServerConfig, ServerState
from app.server.journal import RequestRow
from app.serving import server_config, shown_key
from app.settings import Settings
from ui.background import Background
from ui.chat.details_dialog import DetailsDialog
from ui.kit import Toast
from ui.server.examples import Example
from ui.server.request_list import details_of
from ui.server.server_page import ServerPage
from ui.server.server_watch import ServerWatch
from ui.theme import Theme

if TYPE_CHECKING:
    from app.services import Services

_PATIENCE_SECONDS = 5.0
"""How long answers that are being written may go on when the server is switched off."""

_USUAL_ADDRESS = "http://127.0.0.1:{port}"


class ServerWork(QObject):
    """Starts and stops the server as the settings say, and shows the page what happens.

    Signals:
        settings_changed: the key of a setting that has changed, and the `Settings` in force.
    """

    settings_changed = Signal(str, object)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        services: "Services",
        watch: ServerWatch,
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._background = background
        self._services = services
        self._watch = watch
        self._toast = toast
        self._running: ServerConfig | None = None
        self._page: ServerPage | None = None
        self._key = ""
        self._model = ""
        watch.changed.connect(self._show_state)
        watch.news.connect(self._show_requests)

    def start_if_wanted(self) -> None:
        """Where the person left it on; it may be on already."""
        if self._settings.serve and self._watch.state.phase in ("off", "failed"):
            self._start()

    def show_on(self, page: ServerPage) -> None:
        """Show everything on this page from now on, and do what it asks."""
        self._page = page
        page.status.switched.connect(self._switch)
        page.status.copy_requested.connect(self._copy)
        page.status.key_copy_requested.connect(self._copy_key)
        page.status.renewal_requested.connect(self._renew_key)
        page.example.copy_requested.connect(self._copy_example)
        page.setting_changed.connect(self._change)
        page.restart_requested.connect(self._restart)
        page.details_requested.connect(self._show_details)
        page.clear_requested.connect(self._services.server.journal.clear)
        page.looked_at.connect(self._look)
        page.show_settings(self._settings)
        self._show_state(self._watch.state)
        self._show_requests()

    @property
    def _settings(self) -> Settings:
        return self._services.settings.current

    def _switch(self, on: bool) -> None:
        save = partial(self._services.settings.update, serve=on)
        self._in_order(save, lambda _: self._start() if on else self._stop())

    def _start(self) -> None:
        services = self._services

        def start() -> ServerConfig:
            config = server_config(services.settings.current, services.server_key)
            services.server.start(config)
            return config

        self._in_order(start, self._started, self._not_started)

    def _stop(self) -> None:
        self._in_order(partial(self._services.server.stop, _PATIENCE_SECONDS))

    def _restart(self) -> None:
        self._stop()
        self._start()

    def _started(self, config: ServerConfig) -> None:
        self._running = config
        self._show_state(self._watch.state)  # which may have come first, and depends on it
        self._read_key()

    def _not_started(self, error: Exception) -> None:
        problem = _problem_of(error)
        if self._page is not None and self._page.isVisible():
            failed = ServerState(phase="failed", problem=problem)
            self._page.show_state(failed, open_to_network=False)
        else:
            words = self.tr("The local server did not start.")
            self._toast.show_message(f"{words} {problem.sentence()}")

    def _look(self, looked_at: bool) -> None:
        self._watch.follow(looked_at)
        if looked_at:
            self._show_requests()
            self._read_key()
            self._read_model()

    def _show_state(self, state: ServerState) -> None:
        if self._page is not None:
            self._page.show_state(state, open_to_network=self._is_open)
        self._show_pending()
        self._show_example()

    @property
    def _is_open(self) -> bool:
        return self._running is not None and self._running.host not in LOOPBACK_HOSTS

    def _show_requests(self) -> None:
        journal = self._services.server.journal
        if self._page is not None and self._page.isVisible():
            self._page.show_requests(journal.rows(), journal.clients, journal.tokens_per_second)

    def _show_pending(self) -> None:
        """What was changed since the server began does not count yet."""
        if self._page is None:
            return
        running = self._running
        if running is None or self._watch.state.phase != "on":
            self._page.show_restart(False)
            return
        services = self._services

        def is_other() -> bool:
            return server_config(services.settings.current, services.server_key) != running

        self._background.run(self, is_other, self._page.show_restart, lambda _: None)

    # The key

    def _read_key(self) -> None:
        """Show the end of the key, where there is one; none is made for that."""
        page, settings = self._page, self._settings
        if page is None:
            return
        if not (settings.serve_key or settings.serve_lan):
            self._show_key("", self.tr("The server asks for none."))
        elif self._services.server_key.lasts or self._watch.state.phase == "on":
            read = self._services.server_key.value
            self._background.run(self, read, self._take_key, self._tell_no_key)
        else:
            self._show_key("", self.tr("One is made when the server starts first."))

    def _take_key(self, key: str) -> None:
        lasts = self._services.server_key.lasts
        self._show_key(
            shown_key(key),
            self.tr("Programs need it to connect. Copying puts it whole on the clipboard.")
            if lasts
            else self._words_of_a_passing_key(),
        )

    def _words_of_a_passing_key(self) -> str:
        if self._settings.secrets_place == "file":
            return self.tr(
                "It is for this start alone, since your keys are locked. Unlock them and make a new one."
            )
        return self.tr("It can't be kept on this computer: the next start makes another one.")

    def _tell_no_key(self, error: Exception) -> None:
        self._show_key("", _problem_of(error).sentence())

    def _show_key(self, shown: str, words: str) -> None:
        self._key = shown
        if self._page is not None:
            self._page.status.show_key(shown, words)
        self._show_example()

    def _copy_key(self) -> None:
        self._with_key(self._copy)

    def _copy_example(self, example: Example) -> None:
        def copy(key: str) -> None:
            self._copy(example.filled(self._address, key, self._model))

        self._with_key(copy)

    def _with_key(self, use: Callable[[str], None]) -> None:
        settings = self._settings
        if not (settings.serve_key or settings.serve_lan):
            use("")
            return
        self._background.run(self, self._services.server_key.value, use, self._tell_refusal)

    def _renew_key(self) -> None:
        def renewed(_: object) -> None:
            self._read_key()
            if self._watch.state.phase == "on":
                self._restart()

        self._in_order(self._services.server_key.renew, renewed)

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._toast.show_message(self.tr("Copied"))

    # The example

    @property
    def _address(self) -> str:
        addresses = self._watch.state.addresses
        return addresses[0] if addresses else _USUAL_ADDRESS.format(port=self._settings.serve_port)

    def _read_model(self) -> None:
        self._background.run(self, self._default_model, self._show_model)

    def _default_model(self) -> str:
        models, settings = self._services.models, self._settings
        find = models.default if settings.serve_connections else models.default_installed
        try:
            return find(settings.last_model_id).id
        except AppError:
            return ""

    def _show_model(self, model_id: str) -> None:
        self._model = model_id
        self._show_example()

    def _show_example(self) -> None:
        if self._page is not None:
            self._page.example.show_server(self._address, self._key, self._model)

    # Settings and the rest

    def _change(self, key: str, value: object) -> None:
        def refused(error: Exception) -> None:
            problem = _problem_of(error)
            if self._page is not None:
                self._page.show_refused(key, problem)

        save = partial(self._services.settings.update, **{key: value})
        self._background.run_in_order(self, save, partial(self._apply, key), refused)

    def take_over(self, key: str, current: Settings) -> None:
        """A setting was changed elsewhere."""
        self._apply(key, current)
        if key == "serve":
            if current.serve:
                self.start_if_wanted()
            else:
                self._stop()

    def _apply(self, key: str, current: Settings) -> None:
        if self._page is not None:
            self._page.show_settings(current)
        self._show_pending()
        self._read_key()
        self._read_model()
        self.settings_changed.emit(key, current)

    def _show_details(self, row: RequestRow) -> None:
        assert self._page is not None
        dialog = DetailsDialog(self._theme, details_of(row), parent=self._page)
        dialog.setWindowTitle(self.tr("Details of the request"))
        dialog.open()

    def _in_order(
        self,
        op: Callable[[], object],
        on_done: Callable[..., None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self._background.run_in_order(self, op, on_done, on_error or self._tell_refusal)

    def _tell_refusal(self, error: Exception) -> None:
        self._toast.show_message(_problem_of(error).sentence())


def _problem_of(error: Exception) -> Problem:
    problem = problem_from(error)
    if problem is None:
        raise error
    return problem
