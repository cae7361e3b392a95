"""What the window shows when the conversations can't be opened: why, and the ways out."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import Problem
from ui.kit import Button, Label, Panel, Paragraph, Tile
from ui.theme import Theme

COLUMN = 480


class TroublePage(Panel):
    """Says what is wrong with the database. Nothing in it is changed unless the person asks.

    Signals:
        folder_requested: show the file in its folder.
        fresh_start_requested: set the damaged file aside and begin with an empty one.
        retry_requested: try to open it again.
    """

    folder_requested = Signal()
    fresh_start_requested = Signal()
    retry_requested = Signal()

    def __init__(
        self, theme: Theme, problem: Problem, *, damaged: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, "page", parent=parent)
        retry = Button(theme, self.tr("Try again"), "normal" if damaged else "primary")
        retry.clicked.connect(self.retry_requested)
        folder = Button(theme, self.tr("Show the file"), "ghost", icon="folder-open")
        folder.clicked.connect(self.folder_requested)
        buttons = [retry, folder]
        if damaged:
            fresh = Button(theme, self.tr("Set it aside and start empty"), "primary")
            fresh.clicked.connect(self.fresh_start_requested)
            buttons.insert(0, fresh)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(Tile(theme, "database", "danger", "danger_soft"))
        column.addSpacing(8)
        column.addWidget(Label(theme, self.tr("Your chats can't be opened"), "heading"))
        words = Paragraph(theme, f"{problem.why} {problem.fix}".strip(), "body", lead=problem.what)
        words.setFixedWidth(COLUMN)
        column.addWidget(words)
        column.addSpacing(8)
        column.addLayout(row)
        page = QVBoxLayout(self)
        page.addStretch(2)
        holder = QWidget()
        holder.setLayout(column)
        holder.setFixedWidth(COLUMN)
        page.addWidget(holder, 0, Qt.AlignmentFlag.AlignHCenter)
        page.addStretch(3)
        self.setAccessibleName(problem.sentence())
