"""The local server: on or off, who uses it, and how it is set up."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import Problem
from app.formatting import token_speed_text
from app.server.config import ServerState
from app.server.journal import RequestRow
from app.settings import SETTINGS, Settings
from ui.kit import Button, Card, CardPage, Label, Notice, Paragraph
from ui.kit.focus import pass_focus_back
from ui.server.example_box import ExampleBox
from ui.server.request_list import RequestList
from ui.server.request_view import RequestView
from ui.server.status_card import StatusCard
from ui.settings.setting_rows import Row, make_row
from ui.theme import Theme

SECTION = "Server"
_SWITCH = "serve"


class ServerPage(CardPage):
    """The switch above, then the requests, an example, and the options.

    Attributes:
        status, example: parts that have signals of their own.

    Signals:
        setting_changed: key and new value, which the setting can have.
        restart_requested: so that what was changed counts.
        details_requested: the `RequestRow` that a person wants to know all of.
        clear_requested: forget the requests that have ended.
        looked_at(bool): the page came into sight, or went.
    """

    setting_changed = Signal(str, object)
    restart_requested = Signal()
    details_requested = Signal(object)
    clear_requested = Signal()
    looked_at = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("ServerPage", "Local server")
        super().__init__(theme, title, parent=parent)
        self.status = StatusCard(theme)
        self.example = ExampleBox(theme)
        self._settings: dict[str, Row] = {}
        self._rows = RequestList(self)
        self._view = RequestView(theme, self._rows)
        self._view.opened.connect(self.details_requested)
        self._figures = Label(theme, "", "smallmd", "text2", tabular=True)
        self.bar.addWidget(self._figures)
        self._none = Paragraph(theme, kind="small")
        self._clear = Button(theme, self.tr("Clear"), "link")
        self._clear.clicked.connect(self.clear_requested)
        self._restart = self._make_restart_notice()
        self.add_block(self.status)
        self.add_block(self._make_requests())
        self.add_block(self.example, self.tr("Use it from a program"))
        self.add_block(self._make_options(), self.tr("Options"))
        self.column.addSpacing(12)
        self.column.addWidget(self._restart)
        self.column.addStretch(1)
        self.show_requests((), 0, 0.0)

    def show_state(self, state: ServerState, *, open_to_network: bool) -> None:
        """How it stands with the server."""
        self.status.show_state(state, open_to_network=open_to_network)
        self._figures.setVisible(state.phase == "on")
        self._none.set_text(
            self.tr("Nothing has been asked yet. The example below shows how to begin.")
            if state.phase == "on"
            else self.tr("What programs ask is listed here while the server is on.")
        )

    def show_requests(
        self, rows: Sequence[RequestRow], clients: int, tokens_per_second: float
    ) -> None:
        """The requests, newest first, and who is connected now."""
        self._rows.show_rows(rows)
        self._view.fit()
        self._view.setVisible(bool(rows))
        self._none.setVisible(not rows)
        self._clear.setVisible(any(not row.runs for row in rows))
        words = self.tr("1 connected") if clients == 1 else self.tr("{count} connected")
        speed = token_speed_text(tokens_per_second) if tokens_per_second > 0 else ""
        self._figures.setText(" · ".join(filter(None, (words.format(count=clients), speed))))

    def show_settings(self, settings: Settings) -> None:
        """Show the values in force."""
        for key, row in self._settings.items():
            row.show_value(getattr(settings, key))
        # To other computers it is never open without one.
        self._settings["serve_key"].setEnabled(not settings.serve_lan)

    def show_refused(self, key: str, problem: Problem) -> None:
        """Say below a setting why it could not be saved."""
        self._settings[key].show_problem(problem.sentence())

    def show_restart(self, needed: bool) -> None:
        """Whether something was changed that the server does not know yet."""
        if not needed:
            pass_focus_back(self._restart)
        self._restart.setVisible(needed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.looked_at.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.looked_at.emit(False)

    def _make_requests(self) -> QWidget:
        block = QWidget()
        head = QHBoxLayout()
        heading = Label(self.theme, self.tr("Requests"), "strong")
        heading.setFixedHeight(24)
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self._clear)
        card = Card(self.theme)
        body = QWidget()
        inside = QVBoxLayout(body)
        inside.setContentsMargins(1, 10, 1, 10)
        inside.setSpacing(0)
        nothing = QHBoxLayout()
        nothing.setContentsMargins(15, 0, 15, 0)
        nothing.addWidget(self._none)
        inside.addLayout(nothing)
        inside.addWidget(self._view)
        card.add_row(body)
        column = QVBoxLayout(block)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(card)
        return block

    def _make_options(self) -> Card:
        card = Card(self.theme)
        for setting in SETTINGS:
            if setting.section == SECTION and setting.key != _SWITCH:
                row = make_row(self.theme, setting)
                row.changed.connect(self.setting_changed)
                self._settings[setting.key] = row
                card.add_row(row)
        return card

    def _make_restart_notice(self) -> Notice:
        restart = Button(self.theme, self.tr("Restart the server"), small=True)
        restart.clicked.connect(self.restart_requested)
        notice = Notice(
            self.theme,
            "info",
            self.tr("Your changes count when the server starts next."),
            self.tr("A restart ends the answers that are being written."),
            [restart],
        )
        notice.hide()
        return notice
