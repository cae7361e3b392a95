"""The part of the dialog in which a person says where a service's key comes from."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from app.connections.connections import Provider
from app.connections.records import Connection, KeyPlace
from app.secrets import SecretsState
from ui.kit import Button, ComboBox, Label, Notice, TextField
from ui.theme import Theme


class KeyPart(QWidget):
    """One of three: a key that is typed and kept, a variable of the environment, or none.

    Signals:
        file_requested, unlock_requested: what is typed can't be kept yet, and the person wants to
            change that.
        link_activated(str): the page where one gets a key.
        edited
        entered: Enter was pressed in a field.
    """

    file_requested = Signal()
    unlock_requested = Signal()
    link_activated = Signal(str)
    edited = Signal()
    entered = Signal()

    def __init__(
        self,
        theme: Theme,
        provider: Provider,
        connection: Connection | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._provider = provider
        self._stored = connection is not None and connection.key_place == "stored"
        self._secrets: SecretsState | None = None
        self._place = ComboBox(theme, self.tr("Where the key comes from"))
        self._place.addItem(self.tr("Type it, and Causeway keeps it"), "stored")
        self._place.addItem(self.tr("From a variable of the environment"), "variable")
        if not provider.needs_key:
            self._place.addItem(self.tr("It needs none"), "none")
        self._key = TextField(theme, self.tr("Key"))
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        self._key.setMaxLength(1000)
        self._variable = TextField(theme, self.tr("Name of the variable"), "API_KEY")
        self._fields = QStackedWidget()
        self._fields.addWidget(self._key)
        self._fields.addWidget(self._variable)
        self._file = Button(theme, self.tr("Use a sealed file…"), small=True)
        self._file.clicked.connect(self.file_requested)
        self._unlock = Button(theme, self.tr("Unlock…"), small=True)
        self._unlock.clicked.connect(self.unlock_requested)
        self._notice = Notice(
            theme, "warn", self.tr("Keys can't be kept yet."), "–", [self._file, self._unlock]
        )
        self._notice.hide()
        get = Button(theme, self.tr("Get a key"), "link", "arrow-square-out")
        get.clicked.connect(self._open_page)
        get.setVisible(bool(provider.key_page))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        head = QVBoxLayout()
        head.setSpacing(4)
        head.addWidget(Label(theme, self.tr("Key"), "label"))
        head.addWidget(self._place)
        column.addLayout(head)
        column.addWidget(self._fields)
        column.addWidget(self._notice)
        column.addWidget(get, 0, Qt.AlignmentFlag.AlignLeft)
        self._begin(connection)
        self._place.currentIndexChanged.connect(self._show_place)
        for field in (self._key, self._variable):
            field.textEdited.connect(self.edited)
            field.returnPressed.connect(self.entered)
        self._show_place()

    @property
    def place(self) -> KeyPlace:
        place: KeyPlace = self._place.currentData()
        return place

    @property
    def key(self) -> str:
        """What was typed; empty also where a key that is kept shall stay."""
        return self._key.text().strip()

    @property
    def variable(self) -> str:
        return self._variable.text().strip()

    @property
    def is_complete(self) -> bool:
        """Whether there is a key where one is needed."""
        match self.place:
            case "stored":
                kept = self._stored or not self._provider.needs_key
                return (bool(self.key) and self._can_keep) or (not self.key and kept)
            case "variable":
                return bool(self.variable)
            case "none":
                return True

    @property
    def first_field(self) -> QWidget:
        """Where a person begins."""
        match self.place:
            case "none":
                return self._place
            case "variable":
                return self._variable
            case "stored":
                return self._key

    def show_secrets(self, state: SecretsState) -> None:
        """How it stands with the place where keys are kept."""
        self._secrets = state
        self._notice.set_words(
            self.tr("Your keys are locked.")
            if state.locked
            else self.tr("Keys can't be kept in the keyring."),
            self.tr("They are in a file that your passphrase opens.")
            if state.locked
            else self.tr(
                "This computer has none that answers, and Causeway never writes keys as plain text. "
                "Use a file that a passphrase seals, or a variable of the environment."
            ),
        )
        self._notice.setToolTip(state.reason)
        self._file.setVisible(not state.locked)
        self._unlock.setVisible(state.locked)
        self._show_place()

    def show_kept(self) -> None:
        """The key was kept: it is never shown again."""
        self._stored = self.place == "stored" and (self._stored or bool(self.key))
        self._key.clear()
        self._show_place()

    def ask_for_one(self) -> None:
        """The service wants a key, whatever was said before."""
        if self.place == "none":
            self._place.select("stored")

    def show_invalid(self, invalid: bool) -> None:
        """The service refused it."""
        for field in (self._key, self._variable):
            field.set_invalid(invalid)

    @property
    def _can_keep(self) -> bool:
        return self._secrets is None or self._secrets.usable

    def _begin(self, connection: Connection | None) -> None:
        variable = self._provider.key_variable
        if connection is None:
            self._place.select("stored" if self._provider.needs_key else "none")
        else:
            self._place.select(connection.key_place)
            variable = connection.key_variable or variable
        self._variable.setText(variable)

    def _show_place(self) -> None:
        place = self.place
        self._fields.setVisible(place != "none")
        self._fields.setCurrentWidget(self._variable if place == "variable" else self._key)
        kept = self.tr("It is kept. Type another to replace it")
        self._key.setPlaceholderText(kept if self._stored else "")
        self._notice.setVisible(place == "stored" and not self._can_keep)
        self.edited.emit()

    def _open_page(self) -> None:
        self.link_activated.emit(self._provider.key_page)
