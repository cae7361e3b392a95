"""What the window shows when the conversations can't be opened: why, and the ways out."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.conversations.recovery import Recovered
from app.errors import Problem
from ui.kit import Button, Label, Meter, Panel, Paragraph, Tile
from ui.kit.buttons import ButtonKind
from ui.theme import Theme

COLUMN = 520


class TroublePage(Panel):
    """Says what is wrong with the database. Nothing in it is changed unless the person asks.

    Attributes:
        problem: why the database can't be opened.

    Signals:
        folder_requested: show the file in its folder.
        fresh_start_requested: set the damaged file aside and begin with an empty one.
        retry_requested: try to open it again.
        recovery_requested: save what can be read.
        cancel_requested: stop saving.
        copy_requested: set the damaged file aside and go on with what was saved.
        quit_requested: end the program, and leave all files as they are.
    """

    folder_requested = Signal()
    fresh_start_requested = Signal()
    retry_requested = Signal()
    recovery_requested = Signal()
    cancel_requested = Signal()
    copy_requested = Signal()
    quit_requested = Signal()

    def __init__(
        self, theme: Theme, problem: Problem, *, damaged: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, "page", parent=parent)
        self._theme = theme
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        self._column.setContentsMargins(0, 0, 0, 0)
        page = QVBoxLayout(self)
        page.addStretch(2)
        holder = QWidget()
        holder.setLayout(self._column)
        holder.setFixedWidth(COLUMN)
        page.addWidget(holder, 0, Qt.AlignmentFlag.AlignHCenter)
        page.addStretch(3)
        self._meter: Meter | None = None
        self._damaged = damaged
        self.problem = problem
        self.show_problem(problem)

    def show_problem(self, problem: Problem) -> None:
        """Say what is wrong, and offer what can be done."""
        title = self.tr("Your chats can't be opened")
        if not self._damaged:
            words = f"{problem.why} {problem.fix}".strip()
            retry = self._button(self.tr("Try again"), self.retry_requested, kind="primary")
            self._show(title, problem.what, words, [retry, self._folder()])
            return
        words = self.tr(
            "{why} Causeway can save what can be read into a new file. The damaged file is kept, "
            "whatever you choose."
        ).format(why=problem.why)
        save = self._button(
            self.tr("Save what can be read"), self.recovery_requested, kind="primary"
        )
        self._show(title, problem.what, words, [save, self._fresh(), self._folder()])

    def show_progress(self, percent: int) -> None:
        """How much of the damaged file has been read."""
        if self._meter is None:
            cancel = self._button(self.tr("Cancel"), self.cancel_requested)
            self._show(
                self.tr("Saving what can be read"), "", self.tr("This can take a minute."), [cancel]
            )
            self._meter = Meter(self._theme, self.tr("Read so far"))
            self._column.insertWidget(self._column.count() - 1, self._meter)
        self._meter.set_fraction(percent / 100)

    def show_recovered(self, saved: Recovered) -> None:
        """Say how much was saved, and let the person choose."""
        title = self.tr("This much of your chats was saved")
        lines = [
            self._amount(self.tr("Chats: {count}"), saved.chats, saved.of_chats),
            self._amount(self.tr("Messages: {count}"), saved.messages, saved.of_messages),
        ]
        if saved.cut:
            lines.append(self.tr("Messages that lost their end: {count}.").format(count=saved.cut))
        if saved.moved:
            words = self.tr("Messages that lost what came before them: {count}.")
            lines.append(words.format(count=saved.moved))
        lines.append(self.tr("The damaged file is kept, whatever you choose."))
        use = self._button(self.tr("Open the saved copy"), self.copy_requested, kind="primary")
        leave = self._button(self.tr("Quit"), self.quit_requested)
        self._show(title, "", " ".join(lines), [use, self._fresh(), leave])

    def _amount(self, words: str, count: int, of: int | None) -> str:
        if of is None or of < count:
            return words.format(count=f"{count:,}") + "."
        return (
            words.format(count=self.tr("{n} of {all}").format(n=f"{count:,}", all=f"{of:,}")) + "."
        )

    def _fresh(self) -> Button:
        words = self.tr("Set it aside and start empty")
        return self._button(words, self.fresh_start_requested)

    def _folder(self) -> Button:
        words = self.tr("Show the file")
        return self._button(words, self.folder_requested, kind="ghost", icon="folder-open")

    def _button(
        self, words: str, signal: SignalInstance, *, kind: ButtonKind = "normal", icon: str = ""
    ) -> Button:
        button = Button(self._theme, words, kind, icon=icon)
        button.clicked.connect(signal)
        return button

    def _show(self, title: str, lead: str, words: str, buttons: Sequence[Button]) -> None:
        self._meter = None
        while (item := self._column.takeAt(0)) is not None:
            widget, row = item.widget(), item.layout()
            while row is not None and (held := row.takeAt(0)) is not None:
                _remove(held.widget())
            _remove(widget)
        self._column.addWidget(Tile(self._theme, "database", "danger", "danger_soft"))
        self._column.addSpacing(8)
        self._column.addWidget(Label(self._theme, title, "heading"))
        paragraph = Paragraph(self._theme, words, "body", lead=lead)
        paragraph.setFixedWidth(COLUMN)
        self._column.addWidget(paragraph)
        self._column.addSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        self._column.addLayout(row)
        self.setAccessibleName(f"{title}. {lead} {words}".strip())
        if buttons and self.isVisible():
            buttons[0].setFocus()


def _remove(widget: QWidget | None) -> None:
    if widget is not None:
        widget.hide()
        widget.deleteLater()
