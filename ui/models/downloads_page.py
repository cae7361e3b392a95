"""Everything that is being fetched, what went wrong, and what has come."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QCoreApplication, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import speed_text
from catalog.downloads.wanted import DownloadState
from ui.downloads import Downloads, Snapshot
from ui.kit import Button, CardPage, EmptyState, Label, Notice
from ui.kit.painting import RADIUS, rounded
from ui.models.download_row import DownloadRow
from ui.models.sparkline import Sparkline
from ui.theme import Theme

_SECTION_OF = {
    "waiting": "going",
    "running": "going",
    "paused": "going",
    "failed": "failed",
    "done": "done",
}


class DownloadsPage(CardPage):
    """The queue, in three sections. A row stays the same widget as long as its download is listed.

    Signals:
        chat_requested, show_requested: the `DownloadState` of one that is done.
        discover_requested: the person looks for something to fetch.
        settings_requested: the section of the settings that explains why nothing goes on.
    """

    chat_requested = Signal(object)
    show_requested = Signal(object)
    discover_requested = Signal()
    settings_requested = Signal(str)

    def __init__(self, theme: Theme, downloads: Downloads, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("DownloadsPage", "Downloads")
        super().__init__(theme, title, parent=parent)
        self._downloads = downloads
        self._rows: dict[str, DownloadRow] = {}
        self._going = _Section(theme, self.tr("In progress"))
        self._retry = Button(theme, self.tr("Retry all"), "link")
        self._retry.clicked.connect(self._retry_all)
        self._failed = _Section(theme, self.tr("Needs attention"), self._retry)
        self._clear = Button(theme, self.tr("Clear"), "link")
        self._clear.clicked.connect(downloads.clear_finished)
        self._done = _Section(theme, self.tr("Finished"), self._clear)
        self._sections = {"going": self._going, "failed": self._failed, "done": self._done}
        self._offline = self._make_offline_notice()
        self._empty = self._make_empty_state()
        self._curve = Sparkline(theme)
        self._speed = Label(theme, "", "smallmd", tabular=True)
        self._all = Button(theme, self.tr("Pause all"))
        self._all.clicked.connect(self._pause_or_resume_all)
        self._all_paused = False
        self.bar.setSpacing(12)
        for widget in (self._curve, self._speed, self._all):
            self.bar.addWidget(widget)
        self.column.setSpacing(24)
        for block in (self._offline, self._going, self._failed, self._done, self._empty):
            self.column.addWidget(block)
        self.column.addStretch(1)
        self.show_offline(False)
        self.show_downloads(downloads.now)
        downloads.changed.connect(self.show_downloads)

    def show_downloads(self, snapshot: Snapshot) -> None:
        """How everything is now; comes up to ten times a second."""
        states = snapshot.states
        self._drop_rows({state.request.id for state in states})
        for state in states:
            self._show_row(state)
        moved = False
        for name, section in self._sections.items():
            mine = [state for state in states if _SECTION_OF[state.phase] == name]
            if section is self._done:
                mine.sort(key=lambda state: -state.finished_at)
            moved |= section.show_rows([self._rows[state.request.id] for state in mine])
        if moved:
            self._order_tabs()
        self._retry.setVisible(len(self._failed.shown) > 1)
        self._empty.setVisible(not states)
        self._show_head(snapshot)

    def show_offline(self, offline: bool) -> None:
        """The person has told the program to stay offline."""
        self._offline.setVisible(offline)

    def _make_offline_notice(self) -> Notice:
        self._settings = Button(self.theme, self.tr("Open the settings"), small=True)
        self._settings.clicked.connect(self._request_settings)
        return Notice(
            self.theme,
            "info",
            self.tr("Causeway stays offline."),
            self.tr("Nothing is fetched until that is switched off in the settings."),
            [self._settings],
        )

    def _make_empty_state(self) -> EmptyState:
        browse = Button(self.theme, self.tr("Browse the catalogue"), icon="compass")
        browse.clicked.connect(self.discover_requested)
        return EmptyState(
            self.theme,
            "download-simple",
            self.tr("No downloads"),
            self.tr(
                "What you fetch is listed here. It goes on while you chat, and after a restart."
            ),
            [browse],
        )

    def _drop_rows(self, listed: set[str]) -> None:
        for download_id in self._rows.keys() - listed:
            row = self._rows.pop(download_id)
            for section in self._sections.values():
                section.take_row(row)
            row.hide()
            row.deleteLater()

    def _show_row(self, state: DownloadState) -> None:
        row = self._rows.get(state.request.id)
        if row is not None:
            if row.state != state:
                row.show_state(state)
            return
        row = DownloadRow(self.theme, state)
        downloads = self._downloads
        row.pause_requested.connect(downloads.pause)
        row.resume_requested.connect(downloads.resume)
        row.cancel_requested.connect(downloads.cancel)
        row.retry_requested.connect(downloads.retry)
        row.remove_requested.connect(downloads.remove)
        row.move_requested.connect(self._move)
        row.chat_requested.connect(self.chat_requested)
        row.show_requested.connect(self.show_requested)
        self._rows[state.request.id] = row

    def _order_tabs(self) -> None:
        """The Tab key follows the eye, and not the order in which the rows were made."""
        stops: list[QWidget] = [self._all, self._settings]
        for section in self._sections.values():
            if section is self._done:
                stops.append(self._clear)
            elif section is self._failed:
                stops.append(self._retry)
            for row in section.shown:
                stops.extend(row.stops)
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _show_head(self, snapshot: Snapshot) -> None:
        phases = {state.phase for state in snapshot.states}
        going = bool(phases & {"running", "waiting"})
        self._all_paused = not going and "paused" in phases
        self._all.setVisible(going or self._all_paused)
        words = self.tr("Resume all") if self._all_paused else self.tr("Pause all")
        if words != self._all.text():
            self._all.set_words(words)
        running = "running" in phases
        self._curve.setVisible(running)
        self._speed.setVisible(running)
        self._curve.show_values(snapshot.history)
        self._speed.setText(speed_text(snapshot.speed))

    def _pause_or_resume_all(self) -> None:
        if self._all_paused:
            self._downloads.resume_all()
        else:
            self._downloads.pause_all()

    def _retry_all(self) -> None:
        for row in self._failed.shown:
            self._downloads.retry(row.state.request.id)

    def _move(self, download_id: str, step: int) -> None:
        """Past the neighbour in the section; in the queue others may lie between."""
        states = self._downloads.now.states
        going = [s.request.id for s in states if _SECTION_OF[s.phase] == "going"]
        here = going.index(download_id)
        there = here + step
        if 0 <= there < len(going):
            everything = [state.request.id for state in states]
            self._downloads.move(download_id, everything.index(going[there]))

    def _request_settings(self) -> None:
        self.settings_requested.emit("Network")


class _Section(QWidget):
    """A heading and a card of rows, which come, go and change their order."""

    def __init__(self, theme: Theme, title: str, action: QWidget | None = None) -> None:
        super().__init__()
        self.shown: list[DownloadRow] = []
        head = QHBoxLayout()
        label = Label(theme, title, "strong")
        label.setFixedHeight(24)
        head.addWidget(label)
        head.addStretch(1)
        if action is not None:
            head.addWidget(action)
        self._card = _RowCard(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._card)
        self.hide()

    def show_rows(self, rows: Sequence[DownloadRow]) -> bool:
        """Show these in this order; answers whether they are others than before."""
        moved = list(rows) != self.shown
        if moved:
            for index, row in enumerate(rows):
                self._card.rows.insertWidget(index, row)
                row.show()
            self.shown = list(rows)
        for index, row in enumerate(rows):
            row.show_place(first=index == 0, movable=len(rows) > 1)
        self.setVisible(bool(rows))
        return moved

    def take_row(self, row: DownloadRow) -> None:
        if row in self.shown:
            self.shown.remove(row)
            self._card.rows.removeWidget(row)


class _RowCard(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(0)
        self.rows.setAlignment(Qt.AlignmentFlag.AlignTop)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        rounded(QPainter(self), QRectF(self.rect()), RADIUS, color("raised"), color("hairline"))
