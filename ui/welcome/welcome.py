"""The first page a person sees: two ways to a model, and how the first one gets on."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSpacerItem, QVBoxLayout, QWidget

from app.errors import Problem
from catalog.catalogues.entries import Entry
from catalog.downloads.wanted import DownloadState
from ui.kit import Button, Icon, Label, Mark, Notice
from ui.model_files import ask_for_model_file, dropped_model_files
from ui.theme import Theme
from ui.welcome.water import Water
from ui.welcome.welcome_choices import CHOICE_WIDTH, FileChoice, StarterChoice

_GAP = 16
_WORDS_HEIGHT = 455
_SHARE_ABOVE = 0.21
"""Of the height that the words leave free, this much lies above them."""


class WelcomePage(Water):
    """Offers the starter model and a file of one's own.

    Signals:
        start_requested: fetch the starter model, or go on fetching it, and open it.
        cancel_requested: stop fetching it.
        file_chosen: the `Path` of a model file, chosen or dropped.
        models_requested: show what else there is.
    """

    start_requested = Signal()
    cancel_requested = Signal()
    file_chosen = Signal(object)
    models_requested = Signal()

    def __init__(self, theme: Theme, starter: Entry, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._told: str | None = None
        self._starter = StarterChoice(theme, starter)
        self._starter.start.clicked.connect(self._hide_failure)
        self._starter.start.clicked.connect(self.start_requested)
        self._starter.cancel.clicked.connect(self.cancel_requested)
        self._file = FileChoice(theme)
        self._file.choose.clicked.connect(self.choose_file)
        self._failure = Notice(theme, "danger", "")
        self._failure.setFixedWidth(2 * CHOICE_WIDTH + _GAP)
        self._failure.hide()
        self.setAcceptDrops(True)
        self._lay_out(theme)

    def show_download(self, state: DownloadState | None) -> None:
        """How far the starter model is; None where it has not been asked for."""
        phase = state.phase if state is not None else None
        if state is None or phase == "paused":
            self._starter.show_idle(state.file_amounts[0] if state else 0)
            if self._told == "failed":
                self._hide_failure()
        elif phase == "failed":
            self._starter.show_idle(state.file_amounts[0], again=True)
            if self._told != "failed" and state.problem is not None:
                problem = state.problem
                self.show_problem(Problem(problem.what, problem.why, problem.fix))
        elif phase == "done":
            self.show_opening()
        else:
            self._starter.show_progress(state)
            if self._told == "failed":
                self._hide_failure()
        self._told = phase

    def show_opening(self) -> None:
        """The model is here and is being opened."""
        self._hide_failure()
        self._starter.show_opening()

    def show_refused(self, problem: Problem, state: DownloadState | None) -> None:
        """A file can't be used. The starter model can be fetched, or fetched on, as before."""
        self.show_download(state)
        self.show_problem(problem)

    def show_problem(self, problem: Problem) -> None:
        """Say what went wrong, and leave the rest as it is."""
        self._failure.set_words(problem.what, f"{problem.why} {problem.fix}".strip())
        self._failure.show()
        self.update()

    def focus_first(self) -> None:
        """Put the focus on the button that most people want."""
        self._starter.start.setFocus()

    def choose_file(self) -> None:
        """Ask for a model file."""
        ask_for_model_file(self, self._choose)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_model_files(event.mimeData()):
            event.acceptProposedAction()
            self._file.show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._file.show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._file.show_drop(False)
        files = dropped_model_files(event.mimeData())
        if files:
            event.acceptProposedAction()
            self.file_chosen.emit(files[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        free = self.height() - _WORDS_HEIGHT
        self._above.changeSize(0, max(24, round(free * _SHARE_ABOVE)))
        self._column.invalidate()

    def _hide_failure(self) -> None:
        if self._failure.isVisibleTo(self):
            self._failure.hide()
            self.update()

    def _choose(self, path: str) -> None:
        self.file_chosen.emit(Path(path))

    def _lay_out(self, theme: Theme) -> None:
        centre = Qt.AlignmentFlag.AlignHCenter
        content = QWidget()
        self._column = column = QVBoxLayout(content)
        column.setContentsMargins(16, 0, 16, 24)
        column.setSpacing(0)
        self._above = QSpacerItem(0, 72)
        column.addItem(self._above)
        column.addWidget(Mark(theme), 0, centre)
        column.addSpacing(20)
        title = self.tr("Open models, on your own computer")
        column.addWidget(Label(theme, title, "display"), 0, centre)
        column.addSpacing(8)
        invitation = self.tr("Choose one, and write to it. No account, no terminal.")
        column.addWidget(Label(theme, invitation, "reading", "text2"), 0, centre)
        column.addSpacing(32)
        column.addLayout(_centred(_GAP, self._starter, self._file))
        column.addSpacing(12)
        failure = _centred(0, self._failure)
        failure.setContentsMargins(0, 0, 0, 12)
        column.addLayout(failure)
        promise = self.tr(
            "What you write stays on this computer. "
            "Causeway goes online only to fetch what you ask for."
        )
        lock = Icon(theme, "lock-simple", 16, "accent_text")
        column.addLayout(_centred(8, lock, Label(theme, promise, role="text2")))
        column.addSpacing(8)
        question = Label(theme, self.tr("Looking for another one?"), role="text2")
        models = Button(theme, self.tr("Browse the catalogue"), "link")
        models.clicked.connect(self.models_requested)
        column.addLayout(_centred(6, question, models))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The water shines through.
        scroll.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        self.keep_dry(models)


def _centred(spacing: int, *widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(spacing)
    row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
