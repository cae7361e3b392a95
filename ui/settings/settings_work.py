"""What the settings page asks of the program's parts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from app.errors import Problem, problem_from
from app.secrets import SecretsState
from app.services import Services
from app.settings import Settings
from catalog.catalogues.catalogues import KnownCatalogue
from ui.background import Background, Cancelled, Task
from ui.keys.key_places import KeyPlaces
from ui.settings.settings_page import SettingsPage


class SettingsWork(QObject):
    """Saves what is changed, refreshes catalogues, and keeps the Hub token.

    Signals:
        applied: the key of a setting that has changed, and the `Settings` in force now.
        catalogues_changed: they have been read again.
    """

    applied = Signal(str, object)
    catalogues_changed = Signal()

    def __init__(
        self, background: Background, services: Services, keys: KeyPlaces, page: SettingsPage
    ) -> None:
        super().__init__(page)
        self._background = background
        self._services = services
        self._keys = keys
        self._page = page
        self._refresh: Task | None = None
        page.setting_changed.connect(self._change)
        page.folder_requested.connect(self._open_folder)
        page.token.submitted.connect(self._keep_token)
        page.token.test_requested.connect(self._test_token)
        page.token.remove_requested.connect(self._remove_token)
        page.states.clear_requested.connect(self._clear_states)
        page.keys.file_requested.connect(partial(keys.ask_for_file, page))
        page.keys.unlock_requested.connect(partial(keys.ask_to_unlock, page))
        page.keys.keyring_requested.connect(keys.use_keyring)
        page.shown.connect(keys.read)
        page.shown.connect(self._read_states)
        page.shown.connect(self._read_plugins)
        keys.changed.connect(self._show_keys)
        keys.refused.connect(self._show_keys_refused)
        page.show_settings(services.settings.current)
        self._show_catalogues()

    def take_over(self, key: str, settings: Settings) -> None:
        """A setting was changed elsewhere."""
        self._page.show_setting(key, settings)
        self._apply(key, settings)

    def stop(self) -> None:
        """End what goes on."""
        if self._refresh is not None:
            self._refresh.cancel()

    def _change(self, key: str, value: object) -> None:
        """Saving waits for the disk, so not on this thread. The row shows the value already."""
        save = partial(self._services.settings.update, **{key: value})
        self._background.run_in_order(
            self, save, partial(self._apply, key), partial(self._refuse, key)
        )

    def _apply(self, key: str, current: Settings) -> None:
        self.applied.emit(key, current)
        if key == "catalogues":
            self._refresh_catalogues()

    def _refuse(self, key: str, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._page.show_refused(key, problem)

    def _refresh_catalogues(self) -> None:
        self.stop()

        def show(_: object) -> None:
            self._show_catalogues()
            self.catalogues_changed.emit()

        self._refresh = self._background.look_up(self, self._services.catalogues.refresh, show)

    def _show_catalogues(self) -> None:
        self._background.run(self, self._services.catalogues.known, self._show_known)

    def _show_known(self, known: tuple[KnownCatalogue, ...]) -> None:
        notes = {each.address: _note(each) for each in known if each.address}
        self._page.show_notes("catalogues", notes)

    def _keep_token(self, token: str) -> None:
        """Store it first: whoever is offline tests it later."""
        secrets = self._services.secrets
        words = self.tr("The token is kept.")
        self._do(partial(secrets.set_hub_token, token), lambda _: self._token_changed(words))

    def _test_token(self) -> None:
        services = self._services

        def test(cancelled: Cancelled) -> str:
            return services.hub.check_token(services.secrets.hub_token(), cancelled=cancelled)

        def tell(account: str) -> None:
            words = self.tr("It works. It belongs to {account}.")
            self._page.token.show_done(words.format(account=account))

        self._page.token.show_working()
        self._background.look_up(self, test, tell, self._refuse_token)

    def _remove_token(self) -> None:
        words = self.tr("The token is removed.")
        self._do(self._services.secrets.remove_hub_token, lambda _: self._token_changed(words))

    def _token_changed(self, words: str) -> None:
        self._page.token.show_set(self._services.settings.current.has_hub_token)
        self._page.token.show_done(words)

    def _do(self, op: Callable[[], object], on_done: Callable[..., None]) -> None:
        token = self._page.token
        token.show_working()
        self._background.run(self, op, on_done, self._refuse_token)

    def _refuse_token(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._page.token.show_problem(problem.sentence())

    def _show_keys(self, state: SecretsState) -> None:
        self._page.keys.show_state(state)
        self._page.token.show_place(state.place == "file")

    def _show_keys_refused(self, problem: Problem) -> None:
        self._page.keys.show_problem(problem.sentence())

    def _read_plugins(self) -> None:
        self._background.run(self, self._services.plugins.all, self._page.engines.show_plugins)

    def _read_states(self) -> None:
        self._background.run(self, self._services.states.bytes, self._page.states.show_bytes)

    def _clear_states(self) -> None:
        states = self._services.states

        def clear() -> tuple[int, int]:
            return states.clear(), states.bytes()

        def tell(outcome: tuple[int, int]) -> None:
            self._page.states.show_freed(*outcome)

        self._background.run(self, clear, tell)

    def _open_folder(self, folder: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _note(known: KnownCatalogue) -> str:
    """What is wrong with a catalogue; empty where nothing is."""
    problems = ([known.problem] if known.problem is not None else []) + list(known.left_out[:3])
    return " ".join(str(problem) for problem in problems)
