"""What the services page asks of the program's parts."""

from functools import partial

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.connections.connections import Connections, provider_of
from app.connections.records import Connection
from app.errors import Problem, problem_from
from app.models import OfferedModel
from app.secrets import SecretsState
from backends.errors import BadKey
from ui.background import Background, Task
from ui.keys.key_places import KeyPlaces
from ui.kit import Toast
from ui.models.services.service_dialog import ServiceDialog, ServiceDraft
from ui.models.services.service_words import ShownService, found_words
from ui.models.services.services_page import ServicesPage
from ui.theme import Theme


class ServicesWork(QObject):
    """Connects, changes, asks and removes services, off the main thread.

    Attributes:
        page: where all of it is shown.

    Signals:
        changed: other services are connected now, or they offer other models.
        counted(int): so many are connected.
    """

    changed = Signal()
    counted = Signal(int)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        connections: Connections,
        keys: KeyPlaces,
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._background = background
        self._connections = connections
        self._keys = keys
        self.page = page = ServicesPage(theme)
        self._toast = toast
        self._shown: tuple[ShownService, ...] = ()
        self._reading = False
        self._again = False
        self._refreshing: dict[str, Task] = {}
        page.connect_requested.connect(self._begin_connecting)
        page.change_requested.connect(self._begin_changing)
        page.refresh_requested.connect(self.refresh)
        page.remove_requested.connect(self._remove)
        page.unlock_requested.connect(self._unlock)
        page.shown.connect(keys.read)
        keys.changed.connect(self._show_keys)
        self.read()

    def refresh(self, connection_id: str) -> None:
        """Ask a service for its models again."""
        row = self.page.row(connection_id)
        if row is not None:
            row.show_working()

        def done(models: tuple[OfferedModel, ...]) -> None:
            self._tell_changed()
            if row := self.page.row(connection_id):
                row.show_done(found_words(self._title_of(connection_id), _writers(models)))

        def failed(error: Exception) -> None:
            problem = _problem_of(error)
            if row := self.page.row(connection_id):
                row.show_problem(problem.sentence())

        check = partial(self._connections.check, connection_id)
        self._refreshing[connection_id] = self._background.look_up(self, check, done, failed)

    def _begin_connecting(self, provider_id: str) -> None:
        self._open(ServiceDialog(self._theme, provider_of(provider_id), None, self._window))

    def _begin_changing(self, connection_id: str) -> None:
        for service in self._shown:
            if service.connection.id == connection_id:
                provider = provider_of(service.connection.provider)
                self._open(ServiceDialog(self._theme, provider, service.connection, self._window))

    @property
    def _window(self) -> QWidget:
        return self.page.window()

    def _open(self, dialog: ServiceDialog) -> None:
        dialog.submitted.connect(partial(self._submit, dialog))
        dialog.link_activated.connect(_open_address)
        dialog.key.file_requested.connect(partial(self._keys.ask_for_file, dialog))
        dialog.key.unlock_requested.connect(partial(self._keys.ask_to_unlock, dialog))
        self._keys.changed.connect(dialog.key.show_secrets)
        self._keys.read()
        dialog.open()

    def _submit(self, dialog: ServiceDialog, draft: ServiceDraft) -> None:
        connect = partial(connected, self._connections, draft, dialog.connection_id)

        def ask(connection: Connection) -> None:
            self._tell_changed()
            if not isValid(dialog):
                return
            dialog.show_connected(connection)
            task = self._background.look_up(
                self,
                partial(self._connections.check, connection.id),
                partial(self._finish, dialog, connection),
                partial(self._refuse, dialog),
            )
            # Connected by itself, the method would not keep its task alive.
            dialog.rejected.connect(partial(task.cancel))

        self._background.run(self, connect, ask, partial(self._refuse, dialog))

    def _finish(
        self, dialog: ServiceDialog, connection: Connection, models: tuple[OfferedModel, ...]
    ) -> None:
        self._tell_changed()
        if isValid(dialog):
            dialog.accept()
        words = found_words(connection.title, _writers(models))
        self._toast.show_message(words)

    def _refuse(self, dialog: ServiceDialog, error: Exception) -> None:
        words = _problem_of(error).sentence()
        self._tell_changed()
        if isValid(dialog):
            dialog.show_problem(words, of_the_key=isinstance(error, BadKey))
        else:
            self._toast.show_message(words)

    def _unlock(self) -> None:
        self._keys.ask_to_unlock(self._window)

    def _remove(self, connection_id: str) -> None:
        words = self.tr("{title} is removed.")
        done = words.format(title=self._title_of(connection_id))

        def removed(_: object) -> None:
            self._tell_changed()
            self._toast.show_message(done)

        def failed(error: Exception) -> None:
            problem = _problem_of(error)
            if row := self.page.row(connection_id):
                row.show_problem(problem.sentence())

        if task := self._refreshing.pop(connection_id, None):
            task.cancel()
        self._background.run(
            self, partial(self._connections.remove, connection_id), removed, failed
        )

    def _tell_changed(self) -> None:
        self.read()
        self.changed.emit()

    def read(self) -> None:
        """Show what is connected. A call that comes while it is being read makes it be read once more."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._background.run(self, partial(_all, self._connections), self._show)

    def _show(self, services: tuple[ShownService, ...]) -> None:
        self._reading = False
        self._shown = services
        self.page.show_services(services, self._keys.now)
        self.counted.emit(len(services))
        if self._again:
            self._again = False
            self.read()

    def _show_keys(self, state: SecretsState) -> None:
        self.page.show_services(self._shown, state)

    def _title_of(self, connection_id: str) -> str:
        titles = (s.connection.title for s in self._shown if s.connection.id == connection_id)
        return next(titles, connection_id)


def connected(connections: Connections, draft: ServiceDraft, connection_id: str) -> Connection:
    """The connection as the draft wants it; a new one where `connection_id` is empty.

    Raises what `Connections` raises. Of a new one that could not get its key nothing stays.
    """
    if connection_id:
        connection = connections.change(connection_id, title=draft.title, url=draft.url)
        return _with_key(connections, draft, connection)
    connection = connections.add(draft.provider, title=draft.title, url=draft.url)
    try:
        return _with_key(connections, draft, connection)
    except Exception:
        connections.remove(connection.id)
        raise


def _with_key(connections: Connections, draft: ServiceDraft, connection: Connection) -> Connection:
    match draft.key_place:
        case "variable":
            return connections.use_variable(connection.id, draft.variable)
        case "stored" if draft.key:
            return connections.set_key(connection.id, draft.key)
        case "stored" if connection.key_place == "stored":
            return connection
        case _ if connection.key_place != "none":
            return connections.forget_key(connection.id)
        case _:
            return connection


def _all(connections: Connections) -> tuple[ShownService, ...]:
    return tuple(
        ShownService(each, connections.leaves(each), _writers(connections.models(each.id)))
        for each in connections.all()
    )


def _writers(models: tuple[OfferedModel, ...]) -> int:
    return sum(model.writes for model in models)


def _problem_of(error: Exception) -> Problem:
    problem = problem_from(error)
    if problem is None:
        raise error
    return problem


def _open_address(address: str) -> None:
    QDesktopServices.openUrl(QUrl(address))
