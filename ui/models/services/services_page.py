"""The services that answer in place of a model here: those that are connected, and those that can be."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.connections.connections import PROVIDERS, Provider
from app.secrets import SecretsState
from ui.kit import Button, Card, CardPage, EmptyState, Label, Notice
from ui.kit.focus import pass_focus_back
from ui.models.services.service_row import ProviderRow, ServiceRow
from ui.models.services.service_words import ShownService
from ui.theme import Theme


class ServicesPage(CardPage):
    """Connected services above, the others below by where what is written goes.

    Signals:
        connect_requested(str): the id of a provider.
        refresh_requested, change_requested, remove_requested(str): the id of a connection.
        settings_requested: the section of the settings that explains why nothing is asked.
        unlock_requested: the keys are locked, and the person wants to change that.
        shown: the person looks at the page.
    """

    connect_requested = Signal(str)
    refresh_requested = Signal(str)
    change_requested = Signal(str)
    remove_requested = Signal(str)
    settings_requested = Signal(str)
    unlock_requested = Signal()
    shown = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("ServicesPage", "Services")
        super().__init__(theme, title, parent=parent)
        self._rows: dict[str, ServiceRow] = {}
        self._offline = self._make_offline_notice()
        self._locked = self._make_locked_notice()
        self._empty = EmptyState(
            theme,
            "cloud",
            self.tr("No service is connected"),
            self.tr(
                "Another program on this computer, another machine or a paid service can answer in "
                "your chats. Nothing is sent anywhere before you choose it for a chat."
            ),
        )
        self._connected = _Section(theme, self.tr("Connected"))
        here = _Section(theme, self.tr("On this computer or in your network"))
        paid = _Section(theme, self.tr("Paid services"))
        self._offers = [ProviderRow(theme, provider) for provider in _ordered()]
        for offer in self._offers:
            (paid if _is_paid(offer.provider) else here).card.add_row(offer)
            offer.connect_requested.connect(self.connect_requested)
        self.column.setSpacing(24)
        for block in (self._offline, self._locked, self._empty, self._connected, here, paid):
            self.column.addWidget(block)
        self.column.addStretch(1)
        self.show_offline(False)
        self.show_services((), None)

    def show_services(self, services: Sequence[ShownService], secrets: SecretsState | None) -> None:
        """Show these; a row stays the same widget as long as its service is connected."""
        needs_key = any(service.connection.key_place == "stored" for service in services)
        self._locked.setVisible(needs_key and secrets is not None and secrets.locked)
        listed = {service.connection.id for service in services}
        for gone in self._rows.keys() - listed:
            row = self._rows.pop(gone)
            pass_focus_back(row)
            self._connected.card.remove_row(row)
            row.hide()
            row.deleteLater()
        for service in services:
            connection_id = service.connection.id
            if connection_id not in self._rows:
                row = self._rows[connection_id] = self._make_row(service)
                self._connected.card.add_row(row)
                row.show()
                self._order_tabs()
            self._rows[connection_id].show_service(service, secrets)
        self._connected.setVisible(bool(services))
        self._empty.setVisible(not services)

    def row(self, connection_id: str) -> ServiceRow | None:
        """The row of a connection, to say there what came of asking it."""
        return self._rows.get(connection_id)

    def show_offline(self, offline: bool) -> None:
        """The person has told the program to stay offline."""
        self._offline.setVisible(offline)

    def take_focus(self) -> None:
        first = self._rows and next(iter(self._rows.values())).stops[0]
        (first or self._offers[0].button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_row(self, service: ShownService) -> ServiceRow:
        row = ServiceRow(self.theme, service)
        row.refresh_requested.connect(self.refresh_requested)
        row.change_requested.connect(self.change_requested)
        row.remove_requested.connect(self.remove_requested)
        return row

    def _make_offline_notice(self) -> Notice:
        settings = Button(self.theme, self.tr("Open the settings"), small=True)
        settings.clicked.connect(self._request_settings)
        self._settings = settings
        return Notice(
            self.theme,
            "info",
            self.tr("Causeway stays offline."),
            self.tr("Only services on this computer answer until that is switched off."),
            [settings],
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def _make_locked_notice(self) -> Notice:
        self._unlock = Button(self.theme, self.tr("Unlock…"), small=True)
        self._unlock.clicked.connect(self.unlock_requested)
        return Notice(
            self.theme,
            "warn",
            self.tr("Your keys are locked."),
            self.tr("Services that want one don't answer until you give your passphrase."),
            [self._unlock],
        )

    def _order_tabs(self) -> None:
        """The Tab key follows the eye, and not the order in which the rows were made."""
        stops: list[QWidget] = [self._settings, self._unlock]
        for row in self._rows.values():
            stops.extend(row.stops)
        stops.extend(offer.button for offer in self._offers)
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _request_settings(self) -> None:
        self.settings_requested.emit("Network")


class _Section(QWidget):
    """A heading and a card."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self.card = Card(theme)
        heading = Label(theme, title, "strong")
        heading.setFixedHeight(24)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(heading)
        column.addWidget(self.card)


def _is_paid(provider: Provider) -> bool:
    return provider.needs_key


def _ordered() -> tuple[Provider, ...]:
    """Those that cost nothing first, as they stand on the page."""
    return tuple(sorted(PROVIDERS, key=_is_paid))
