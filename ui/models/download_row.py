"""One download: what it is, how far it is, and what can be done about it."""

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text
from catalog.downloads.wanted import DownloadState
from ui.kit import Button, ElidedLabel, IconButton, Label, Meter, Paragraph, Tile
from ui.kit.tooltips import plain_tooltip
from ui.models.download_words import (
    amount_words,
    detail_words,
    finished_words,
    fraction_of,
    kind_words,
    pace_words,
    percent_words,
)
from ui.theme import Theme

_ASK_ABOVE = 10_000_000
"""Bytes that are not thrown away without a question."""


class DownloadRow(QWidget):
    """Shows one download in whatever phase it is.

    Attributes:
        state: the one that is shown.

    Signals:
        pause_requested, resume_requested, cancel_requested, retry_requested, remove_requested: id.
        move_requested: id, and -1 for up or 1 for down.
        chat_requested, show_requested: the `DownloadState` of one that is done.
    """

    pause_requested = Signal(str)
    resume_requested = Signal(str)
    cancel_requested = Signal(str)
    retry_requested = Signal(str)
    remove_requested = Signal(str)
    move_requested = Signal(str, int)
    chat_requested = Signal(object)
    show_requested = Signal(object)

    def __init__(self, theme: Theme, state: DownloadState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parted = False
        self._movable = False
        self.state = state
        title = state.request.title
        self._tile = Tile(theme, "cube")
        self._kind = Label(theme, "", role="text2")
        self._percent = Label(theme, "", "smallmd", tabular=True)
        self._meter = Meter(theme, self.tr("Progress of {name}").format(name=title))
        self._amount = Label(theme, "", "small", "text2", tabular=True)
        self._pace = ElidedLabel(theme, "", "small", "text2", tabular=True)
        self._pace.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._words = Paragraph(theme)
        self._details = Paragraph(theme, kind="small", role="text3")
        self._details.hide()
        self._up = self._icon_button("caret-up", self.tr("Move {name} up"), 20)
        self._down = self._icon_button("caret-down", self.tr("Move {name} down"), 20)
        self._pause = self._icon_button("pause", self.tr("Pause {name}"))
        self._resume = self._icon_button("play", self.tr("Resume {name}"))
        self._end = self._icon_button("x", self.tr("Cancel {name}"))
        self._chat = Button(theme, self.tr("Chat"), icon="chat-circle-text")
        self._chat.setAccessibleName(self.tr("Chat with {name}").format(name=title))
        self._show = Button(theme, self.tr("Show"))
        self._show.setAccessibleName(self.tr("Show {name}").format(name=title))
        self._answers = self._make_answers()
        self._question = self._make_question()
        self._question.hide()
        self._lay_out()
        self._connect()
        self.show_state(state)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What the Tab key stops at, as the eye goes."""
        return (
            *(self._retry, self._more, self._give_up, self._keep, self._up, self._down),
            *(self._pause, self._resume, self._chat, self._show, self._end),
        )

    def show_state(self, state: DownloadState) -> None:
        """Show how it is now. The widgets stay, so that the focus does."""
        phase_before, self.state = self.state.phase, state
        phase = state.phase
        active = phase in ("waiting", "running", "paused")
        self._show_tile()
        self._kind.setText(kind_words(state))
        self._percent.setText(percent_words(state) if active else "")
        self._meter.setVisible(active)
        self._meter.set_still(phase != "running")
        known = fraction_of(state)
        idle = phase != "running" or state.stage == "finding"
        self._meter.set_fraction((known or 0.0) if idle else known)
        self._amount.setText(finished_words(state) if phase == "done" else amount_words(state))
        self._amount.setVisible(phase != "failed")
        self._pace.setText(pace_words(state))
        self._pace.setVisible(active)
        self._meter.setAccessibleDescription(f"{self._amount.text()} {self._pace.text()}".strip())
        self._show_problem()
        self._show_buttons()
        if phase != phase_before:
            self._question.hide()

    def show_place(self, *, first: bool, movable: bool) -> None:
        """Whether a row lies above it in the same card, and whether there are others to pass."""
        if self._movable != movable:
            self._movable = movable
            self._show_buttons()
        self._chat.set_kind("primary" if first else "normal")
        if self._parted == first:
            self._parted = not first
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._parted:
            line = QRect(1, 0, self.width() - 2, 1)
            QPainter(self).fillRect(line, self._theme.color("hairline"))

    def _icon_button(self, icon: str, words: str, height: int = 32) -> IconButton:
        name = words.format(name=self.state.request.title)
        button = IconButton(self._theme, icon, name, box=32, size=16 if height == 32 else 12)
        button.setFixedHeight(height)
        return button

    def _make_answers(self) -> QWidget:
        answers = QWidget()
        line = QHBoxLayout(answers)
        line.setContentsMargins(0, 12, 0, 0)
        line.setSpacing(4)
        self._retry = Button(self._theme, self.tr("Retry"), icon="arrow-clockwise")
        self._retry.clicked.connect(self._request_retry)
        self._more = Button(self._theme, self.tr("Details"), "ghost")
        self._more.clicked.connect(self._toggle_details)
        line.addWidget(self._retry)
        line.addWidget(self._more)
        line.addStretch(1)
        return answers

    def _make_question(self) -> QWidget:
        question = QWidget()
        line = QHBoxLayout(question)
        line.setContentsMargins(0, 12, 0, 0)
        line.setSpacing(8)
        self._ask = Label(self._theme, "")
        self._give_up = Button(self._theme, self.tr("Delete what is here"), "danger")
        self._give_up.clicked.connect(self._cancel)
        self._keep = Button(self._theme, self.tr("Keep it"), "ghost")
        self._keep.clicked.connect(self._dismiss)
        line.addWidget(self._ask, 1)
        line.addWidget(self._give_up)
        line.addWidget(self._keep)
        return question

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(ElidedLabel(self._theme, self.state.request.title, "strong"))
        head.addWidget(self._kind)
        head.addStretch(1)
        head.addWidget(self._percent)
        foot = QHBoxLayout()
        foot.setSpacing(16)
        foot.addWidget(self._amount)
        foot.addWidget(self._pace, 1)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addLayout(head)
        self._above_meter = QWidget()
        above = QVBoxLayout(self._above_meter)
        above.setContentsMargins(0, 8, 0, 8)
        above.addWidget(self._meter)
        middle.addWidget(self._above_meter)
        middle.addLayout(foot)
        middle.addWidget(self._words)
        middle.addWidget(self._answers)
        middle.addWidget(self._details)
        middle.addWidget(self._question)
        order = QVBoxLayout()
        order.setSpacing(0)
        order.addWidget(self._up)
        order.addWidget(self._down)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addLayout(order)
        for button in (self._pause, self._resume, self._chat, self._show, self._end):
            buttons.addWidget(button)
        top = Qt.AlignmentFlag.AlignTop
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 16, 12, 16)
        line.setSpacing(16)
        line.addWidget(self._tile, 0, top)
        line.addLayout(middle, 1)
        line.addLayout(buttons)
        line.setAlignment(buttons, top)

    def _connect(self) -> None:
        self._pause.clicked.connect(self._request_pause)
        self._resume.clicked.connect(self._request_resume)
        self._end.clicked.connect(self._request_end)
        self._chat.clicked.connect(self._request_chat)
        self._show.clicked.connect(self._request_show)
        self._up.clicked.connect(self._move_up)
        self._down.clicked.connect(self._move_down)
        for keys, move in (("Alt+Up", self._move_up), ("Alt+Down", self._move_down)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(move)

    def _show_tile(self) -> None:
        icon = "stack-simple" if self.state.request.kind == "adapter" else "cube"
        match self.state.phase:
            case "failed":
                self._tile.show_icon("warning", "danger", "danger_soft")
            case "done":
                self._tile.show_icon("check", "accent_text", "accent_soft")
            case "running":
                self._tile.show_icon(icon, "accent_text", "accent_soft")
            case _:
                self._tile.show_icon(icon, "text2", "fill")

    def _show_problem(self) -> None:
        problem = self.state.problem if self.state.phase == "failed" else None
        self._words.setVisible(problem is not None)
        self._answers.setVisible(problem is not None)
        self._above_meter.setVisible(problem is None and self.state.phase != "done")
        if problem is None:
            self._details.hide()
            return
        self._words.set_text(f"{problem.why} {problem.fix}".strip(), problem.what)
        self._details.set_text(detail_words(self.state))

    def _show_buttons(self) -> None:
        phase = self.state.phase
        done, adapter = phase == "done", self.state.request.kind == "adapter"
        going = phase in ("waiting", "running")
        paused = phase == "paused"
        if (self._resume if going else self._pause).hasFocus() and (going or paused):
            into = self._pause if going else self._resume
            into.show()
            into.setFocus(_reason((self._resume if going else self._pause).shows_ring))
        self._pause.setVisible(going)
        self._resume.setVisible(paused)
        self._chat.setVisible(done and not adapter)
        self._show.setVisible(done and adapter)
        movable = self._movable and (going or paused)
        self._up.setVisible(movable)
        self._down.setVisible(movable)
        name = self.state.request.title
        words = self.tr("Cancel {name}")
        if done or phase == "failed":
            words = self.tr("Take {name} off the list")
        self._end.setAccessibleName(words.format(name=name))
        self._end.setToolTip(plain_tooltip(words.format(name=name)))

    def _toggle_details(self) -> None:
        self._details.setVisible(not self._details.isVisibleTo(self))
        shown = self._details.isVisibleTo(self)
        self._more.set_words(self.tr("Hide details") if shown else self.tr("Details"))

    def _request_pause(self) -> None:
        self.pause_requested.emit(self.state.request.id)

    def _request_resume(self) -> None:
        self.resume_requested.emit(self.state.request.id)

    def _request_retry(self) -> None:
        self.retry_requested.emit(self.state.request.id)

    def _request_end(self) -> None:
        if self.state.phase == "done":
            self.remove_requested.emit(self.state.request.id)
        elif self.state.done < _ASK_ABOVE:
            self._cancel()
        else:
            here = bytes_text(self.state.done, digits=2)
            self._ask.setText(self.tr("Give it up? {size} are here already.").format(size=here))
            self._question.show()
            self._keep.setFocus(_reason(self._end.shows_ring))

    def _dismiss(self) -> None:
        reason = _reason(self._keep.shows_ring)
        self._question.hide()
        self._end.setFocus(reason)

    def _cancel(self) -> None:
        self.cancel_requested.emit(self.state.request.id)

    def _request_chat(self) -> None:
        self.chat_requested.emit(self.state)

    def _request_show(self) -> None:
        self.show_requested.emit(self.state)

    def _move_up(self) -> None:
        if self._movable:
            self.move_requested.emit(self.state.request.id, -1)

    def _move_down(self) -> None:
        if self._movable:
            self.move_requested.emit(self.state.request.id, 1)


def _reason(by_keyboard: bool) -> Qt.FocusReason:
    """Who works with the mouse sees no ring where the focus goes on by itself."""
    return Qt.FocusReason.TabFocusReason if by_keyboard else Qt.FocusReason.OtherFocusReason
