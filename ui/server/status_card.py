"""The server's switch, where it is reached, and the key that opens it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.server.config import ServerState
from ui.kit import (
    Button,
    Card,
    ControlLine,
    ElidedLabel,
    IconButton,
    Label,
    Notice,
    Paragraph,
    Switch,
)
from ui.theme import Theme


class StatusCard(Card):
    """Signals:
    switched(bool): the person wants it on, or off.
    copy_requested(str): put this text on the clipboard.
    key_copy_requested: the same for the key, which nobody here knows.
    renewal_requested: another key; the person has been asked.
    """

    switched = Signal(bool)
    copy_requested = Signal(str)
    key_copy_requested = Signal()
    renewal_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent=parent)
        self.theme = theme
        self._addresses: tuple[str, ...] = ()
        self._switch = Switch(theme, self.tr("Local server"))
        self._switch.clicked.connect(self.switched)
        self._state = Paragraph(theme, kind="small")
        self._open = Notice(
            theme,
            "warn",
            self.tr("Other computers in this network can connect."),
            self.tr("What they write travels unencrypted, and so does the key."),
        )
        self._places = QWidget()
        self._places.hide()
        self._place_column = QVBoxLayout(self._places)
        self._place_column.setContentsMargins(0, 0, 0, 0)
        self._place_column.setSpacing(4)
        self.add_row(self._make_switch_row())
        self._key_row = self._make_key_row()
        self.add_row(self._key_row)
        self.show_state(ServerState(), open_to_network=False)
        self.show_key("", "")

    @property
    def switch(self) -> Switch:
        return self._switch

    def show_state(self, state: ServerState, *, open_to_network: bool) -> None:
        """How it stands with it."""
        on = state.phase in ("on", "starting")
        self._switch.setChecked(on)
        self._switch.setEnabled(state.phase != "stopping")
        words, role = self._words_of(state)
        self._state.set_role(role)
        self._state.set_text(words)
        self._open.setVisible(open_to_network and state.phase == "on")
        self._show_addresses(state.addresses if state.phase == "on" else ())

    def show_key(self, shown: str, words: str) -> None:
        """The key as it may be shown; empty where none is asked for or known. `words` explain it."""
        self._key.setText(shown or "–")
        self._key_words.set_text(words)
        self._copy_key.setVisible(bool(shown))
        self._renew.setVisible(bool(shown))

    def _words_of(self, state: ServerState) -> tuple[str, str]:
        match state.phase:
            case "off":
                words = self.tr(
                    "Off. Switched on, other programs on this computer can use the models that "
                    "Causeway runs, as they would use OpenAI, Ollama or Anthropic."
                )
                return words, "text2"
            case "starting":
                return self.tr("Starting…"), "text2"
            case "on":
                return self.tr("On. It starts with Causeway until you switch it off."), "ok"
            case "stopping":
                return self.tr("Stopping. What is being answered may still end…"), "text2"
            case "failed":
                problem = state.problem
                return problem.sentence() if problem else self.tr("It did not start."), "danger"

    def _make_switch_row(self) -> QWidget:
        row = QWidget()
        title = Label(self.theme, self.tr("Local server"), "label")
        line = ControlLine([title, self._state], [self._switch])
        column = QVBoxLayout(row)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(line)
        column.addWidget(self._places)
        column.addWidget(self._open)
        return row

    def _make_key_row(self) -> QWidget:
        row = QWidget()
        self._key = Label(self.theme, "", "label", tabular=True)
        self._key.setAccessibleName(self.tr("Key"))
        self._key_words = Paragraph(self.theme, kind="small")
        self._copy_key = Button(self.theme, self.tr("Copy"))
        self._copy_key.setAccessibleName(self.tr("Copy the key"))
        self._copy_key.clicked.connect(self.key_copy_requested)
        self._renew = Button(self.theme, self.tr("Make a new one"), "ghost")
        self._renew.clicked.connect(self._ask)
        self._question = self._make_question()
        line = ControlLine(
            [Label(self.theme, self.tr("Key"), "label"), self._key_words],
            [self._key, self._copy_key, self._renew],
        )
        column = QVBoxLayout(row)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(line)
        column.addWidget(self._question)
        return row

    def _make_question(self) -> QWidget:
        confirm = Button(self.theme, self.tr("Make a new key"), "danger", small=True)
        self._keep = Button(self.theme, self.tr("Keep this one"), "ghost", small=True)
        confirm.clicked.connect(self._confirm)
        self._keep.clicked.connect(self._dismiss)
        question = Notice(
            self.theme,
            "info",
            self.tr("Replace the key?"),
            self.tr("Programs that have the old one are locked out. A server that is on restarts."),
            [confirm, self._keep],
        )
        question.hide()
        return question

    def _show_addresses(self, addresses: Sequence[str]) -> None:
        if tuple(addresses) == self._addresses:
            return
        self._addresses = tuple(addresses)
        while (taken := self._place_column.takeAt(0)) is not None:
            if widget := taken.widget():
                widget.hide()
                widget.deleteLater()
        before: QWidget = self._switch
        for address in addresses:
            name = self.tr("Copy {address}").format(address=address)
            copy = IconButton(self.theme, "copy-simple", name)
            copy.setProperty("address", address)
            copy.clicked.connect(self._copy_address)
            self._place_column.addWidget(self._make_place(address, copy))
            QWidget.setTabOrder(before, copy)
            before = copy
        self._places.setVisible(bool(addresses))

    def _make_place(self, address: str, copy: IconButton) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(ElidedLabel(self.theme, address, "label", tabular=True))
        line.addWidget(copy)
        line.addStretch(1)
        return holder

    def _copy_address(self) -> None:
        button = self.sender()
        if button is not None:
            self.copy_requested.emit(str(button.property("address")))

    def _ask(self) -> None:
        self._question.show()
        self._keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _dismiss(self) -> None:
        self._renew.setFocus(Qt.FocusReason.OtherFocusReason)
        self._question.hide()

    def _confirm(self) -> None:
        self._dismiss()
        self.renewal_requested.emit()
