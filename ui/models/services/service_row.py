"""The rows of the services page: one that is connected, and one that could be."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.connections.connections import Provider
from app.secrets import SecretsState
from ui.chat.leaving import LEAVES_ICON, leaves_words
from ui.kit import Button, Chip, ControlLine, ElidedLabel, IconButton, Label, Paragraph, Tile
from ui.models.services.service_words import (
    ShownService,
    connect_words,
    key_words,
    models_words,
    place_words,
)
from ui.theme import Theme


class ServiceRow(QWidget):
    """A connected service: where it is, what it offers, and what can be done with it.

    Signals:
        refresh_requested, change_requested, remove_requested(str): its id. The person has been asked
            whether it shall be removed.
    """

    refresh_requested = Signal(str)
    change_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, theme: Theme, service: ShownService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._id = service.connection.id
        self._tile = Tile(theme, "cloud")
        self._title = ElidedLabel(theme, "", "strong")
        self._badge = Chip(theme, leaves_words(), "outline", LEAVES_ICON)
        self._facts = ElidedLabel(theme, "", "small", "text2", tabular=True)
        self._words = Paragraph(theme, kind="small")
        self._words.hide()
        self._refresh = IconButton(theme, "arrow-clockwise", "")
        self._change = IconButton(theme, "pencil-simple", "")
        self._remove = IconButton(theme, "trash", "")
        self._refresh.clicked.connect(self._request_refresh)
        self._change.clicked.connect(self._request_change)
        self._remove.clicked.connect(self._ask)
        self._question = self._make_question(theme)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._badge)
        head.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(1)
        column.addLayout(head)
        column.addWidget(self._facts)
        column.addWidget(self._words)
        column.addWidget(self._question)
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 14, 12, 14)
        line.setSpacing(16)
        line.addWidget(self._tile, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(column, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self._refresh, self._change, self._remove):
            buttons.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(buttons)
        self.show_service(service, None)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What the Tab key reaches, in its order."""
        return (self._refresh, self._change, self._remove, self._confirm, self._keep)

    def show_service(self, service: ShownService, secrets: SecretsState | None) -> None:
        """How it is connected now."""
        connection = service.connection
        title = connection.title
        self._title.setText(title)
        self._badge.setVisible(service.leaves)
        self._tile.show_icon("cloud" if service.leaves else "laptop", "text2", "fill")
        facts = (
            place_words(connection.url),
            models_words(service.models),
            key_words(connection, secrets),
        )
        self._facts.setText(" · ".join(fact for fact in facts if fact))
        for button, words in (
            (self._refresh, self.tr("Ask {title} for its models again")),
            (self._change, self.tr("Change {title}")),
            (self._remove, self.tr("Remove {title}")),
        ):
            button.set_action(button.icon_name, words.format(title=title))
        loss = self.tr("Chats with it stay, and need another model.")
        if connection.key_place == "stored":
            loss = f"{self.tr('Its key is forgotten.')} {loss}"
        self._question_words.set_text(loss, self.tr("Remove {title}?").format(title=title))

    def show_working(self) -> None:
        """It is being asked."""
        self._say(self.tr("One moment…"), "text2")

    def show_done(self, words: str) -> None:
        """What it answered."""
        self._say(words, "ok")

    def show_problem(self, words: str) -> None:
        """Why it did not answer."""
        self._say(words, "danger")

    def _say(self, words: str, role: str) -> None:
        self._words.set_role(role)
        self._words.set_text(words)
        self._words.show()

    def _make_question(self, theme: Theme) -> QWidget:
        question = QWidget()
        self._question_words = Paragraph(theme)
        self._confirm = Button(theme, self.tr("Remove"), "danger", small=True)
        self._keep = Button(theme, self.tr("Keep it"), "ghost", small=True)
        self._confirm.clicked.connect(self._request_removal)
        self._keep.clicked.connect(self._dismiss)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self._confirm)
        buttons.addWidget(self._keep)
        buttons.addStretch(1)
        column = QVBoxLayout(question)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._question_words)
        column.addLayout(buttons)
        question.hide()
        return question

    def _ask(self) -> None:
        self._question.show()
        self._keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _dismiss(self) -> None:
        self._remove.setFocus(Qt.FocusReason.OtherFocusReason)
        self._question.hide()

    def _request_removal(self) -> None:
        self._dismiss()
        self.remove_requested.emit(self._id)

    def _request_refresh(self) -> None:
        self.refresh_requested.emit(self._id)

    def _request_change(self) -> None:
        self.change_requested.emit(self._id)


class ProviderRow(QWidget):
    """A service that can be connected, with what that means for what is written.

    Signals:
        connect_requested(str): the provider's id.
    """

    connect_requested = Signal(str)

    def __init__(self, theme: Theme, provider: Provider, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.provider = provider
        self.button = Button(theme, self.tr("Connect…"))
        self.button.setAccessibleName(connect_words(provider))
        self.button.clicked.connect(self._request)
        title = QWidget()
        head = QHBoxLayout(title)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(8)
        head.addWidget(Label(theme, provider.title, "label"))
        if provider.url:
            place = place_words(provider.url)
            head.addWidget(Label(theme, place, "small", "text3", tabular=True))
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.addWidget(
            ControlLine([title, Paragraph(theme, provider.privacy, "small")], [self.button])
        )

    def _request(self) -> None:
        self.connect_requested.emit(self.provider.id)
