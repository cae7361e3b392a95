"""Connects a service, or changes how one is connected."""

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.connections.connections import Provider
from app.connections.records import Connection, KeyPlace
from ui.kit import Button, Label, Meter, Paragraph, TextField
from ui.kit.fitted_dialog import FittedDialog
from ui.models.services.key_part import KeyPart
from ui.models.services.service_words import connect_words
from ui.theme import Theme


class ServiceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has filled in. An empty `key` leaves the one that is kept."""

    provider: str
    title: str
    url: str
    key_place: KeyPlace
    key: str = ""
    variable: str = ""

    def __repr__(self) -> str:  # a report of a bug shows values
        return f"ServiceDraft({self.provider!r})"


class ServiceDialog(FittedDialog):
    """Says where everything goes before anything is sent, and stays open until the service has answered.

    Attributes:
        key: the part for the key, which has signals of its own.
        connection_id: of what is changed; empty until it is connected.

    Signals:
        submitted: a `ServiceDraft` to connect or change, and to ask.
        link_activated(str): an address for the platform's browser.
    """

    submitted = Signal(object)
    link_activated = Signal(str)

    def __init__(
        self,
        theme: Theme,
        provider: Provider,
        connection: Connection | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "", parent)
        self._provider = provider
        self.connection_id = connection.id if connection else ""
        self._taken = False
        name = connection.title if connection else provider.title
        change = self.tr("Change {title}").format(title=name)
        self.setWindowTitle(change if connection else connect_words(provider))
        usual = provider.title if provider.url else self.tr("Named after its address")
        self._title = TextField(theme, self.tr("Name"), usual)
        self._title.setMaxLength(60)
        self._title.setText(connection.title if connection else "")
        self._address = TextField(theme, self.tr("Address"), "https://api.example.com/v1")
        self._address.setMaxLength(1000)
        self._address.setText(connection.url if connection else provider.url)
        self.key = KeyPart(theme, provider, connection)
        self._meter = Meter(theme, self.tr("Asking {title}…").format(title=name))
        self._meter.set_fraction(None)
        self._meter.hide()
        self._words = Paragraph(theme, kind="small", role="danger")
        self._words.hide()
        self._cancel = Button(theme, self.tr("Cancel"))
        self._cancel.clicked.connect(self.reject)
        go_on = self.tr("Save and test") if connection else self.tr("Connect")
        self._go_on = Button(theme, go_on, "primary")
        self._go_on.clicked.connect(self._submit)
        self._lay_out()
        for field in (self._title, self._address):
            field.textEdited.connect(self._edited)
            field.returnPressed.connect(self._submit)
        self.key.edited.connect(self._edited)
        self.key.entered.connect(self._submit)
        self.key.link_activated.connect(self.link_activated)
        self._edited()
        first = self.key.first_field if provider.url else self._address
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_connected(self, connection: Connection) -> None:
        """It is connected now, whatever it will answer."""
        self.connection_id = connection.id
        self._taken = True
        self._address.setText(connection.url)
        self.key.show_kept()
        self._cancel.set_words(self.tr("Close"))
        self._go_on.set_words(self.tr("Try again"))
        self._show_working(True)

    def show_problem(self, words: str, of_the_key: bool = False) -> None:
        """Why it can't be connected, or why it does not answer."""
        self._show_working(False)
        if of_the_key:
            self.key.ask_for_one()
        if self._taken:
            kept = self.tr("It stays in your list, and you can try again at any time.")
            words = f"{words} {kept}"
        self._words.set_text(words)
        self._words.show()
        self.key.show_invalid(of_the_key)
        field = self.key.first_field if of_the_key else self._address
        field.setAccessibleDescription(words)
        field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_out(self) -> None:
        theme = self.theme
        about = QVBoxLayout()
        about.setSpacing(4)
        about.addWidget(Paragraph(theme, self._provider.privacy))
        if self._provider.privacy_page:
            read = Button(theme, self.tr("What they say of privacy"), "link", "arrow-square-out")
            read.clicked.connect(self._open_privacy_page)
            about.addWidget(read, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addLayout(about)
        for field in (self._address, self._title):
            pair = QVBoxLayout()
            pair.setSpacing(4)
            pair.addWidget(Label(theme, field.accessibleName(), "label"))
            pair.addWidget(field)
            self.column.addLayout(pair)
        self.column.addWidget(self.key)
        self.column.addWidget(self._meter)
        self.column.addWidget(self._words)
        self.buttons.addWidget(self._cancel)
        self.buttons.addWidget(self._go_on)

    def _edited(self) -> None:
        self._words.hide()
        self.key.show_invalid(False)
        for field in (self._address, self.key.first_field):
            field.setAccessibleDescription("")
        self._go_on.setEnabled(bool(self._address.text().strip()) and self.key.is_complete)

    def _submit(self) -> None:
        if not self._go_on.isEnabled():
            return
        draft = ServiceDraft(
            provider=self._provider.id,
            title=self._title.text().strip(),
            url=self._address.text().strip(),
            key_place=self.key.place,
            key=self.key.key if self.key.place == "stored" else "",
            variable=self.key.variable if self.key.place == "variable" else "",
        )
        self._taken = False
        self._show_working(True)
        self.submitted.emit(draft)

    def _show_working(self, working: bool) -> None:
        self._meter.setVisible(working)
        self._words.hide()
        self._go_on.setEnabled(not working)
        for part in (self._title, self._address, self.key):
            part.setEnabled(not working)

    def _open_privacy_page(self) -> None:
        self.link_activated.emit(self._provider.privacy_page)
