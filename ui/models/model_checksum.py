"""The checksum of a model: what is known of it, and a check on demand."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.errors import Problem
from catalog.library.content import Against, Verification
from ui.kit import Button, ElidedLabel, IconButton, Label, Meter, Paragraph
from ui.theme import Theme


class ModelChecksum(QWidget):
    """SHA-256, whose word it is, and a button that reads the file again.

    Signals:
        check_requested, cancel_requested
        copy_requested: the checksum, whole.
    """

    check_requested = Signal()
    cancel_requested = Signal()
    copy_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sha256 = ""
        self._value = ElidedLabel(theme, "", "small", tabular=True)
        self._copy = IconButton(theme, "copy-simple", self.tr("Copy the checksum"), box=24, size=14)
        self._copy.clicked.connect(self._request_copy)
        self._check = Button(theme, self.tr("Check"), small=True)
        self._check.setAccessibleName(self.tr("Check the file"))
        self._check.clicked.connect(self.check_requested)
        self._meter = Meter(theme, self.tr("Checking the file"))
        self._cancel = Button(theme, self.tr("Cancel"), "ghost", small=True)
        self._cancel.setAccessibleName(self.tr("Cancel the check"))
        self._cancel.clicked.connect(self.cancel_requested)
        self._words = Paragraph(theme, kind="small")
        self._stack = QStackedWidget()
        self._stack.addWidget(_line(self._value, self._copy, self._check))
        self._stack.addWidget(_line(self._meter, self._cancel))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(Label(theme, self.tr("Checksum"), "strong"))
        column.addWidget(self._stack)
        column.addWidget(self._words)

    def show_checksum(self, sha256: str, source: Against | str) -> None:
        """What is known before anything is read; an empty checksum: nothing."""
        self._sha256 = sha256
        self._value.setText(f"SHA-256 {sha256}" if sha256 else self.tr("Not computed yet"))
        self._copy.setVisible(bool(sha256))
        self._say(self._source_words(source) if sha256 else "", "text3")
        self._show(checking=False)

    def show_progress(self, fraction: float) -> None:
        """A check goes on."""
        self._meter.set_fraction(fraction)
        self._show(checking=True)

    def show_verification(self, outcome: Verification) -> None:
        """A check has ended."""
        self._sha256 = outcome.sha256 or self._sha256
        self._value.setText(f"SHA-256 {self._sha256}" if self._sha256 else "")
        self._copy.setVisible(bool(self._sha256))
        self._say(outcome.message, "ok" if outcome.sound else "danger")
        self._show(checking=False)

    def show_problem(self, problem: Problem | None) -> None:
        """A check could not be done; None: the person cancelled it."""
        self._say(problem.sentence() if problem else "", "danger")
        self._show(checking=False)

    def _source_words(self, source: str) -> str:
        return {
            "catalogue": self.tr("The catalogue publishes it."),
            "download": self.tr("Recorded on first download."),
            "place": self.tr("The file is kept under it."),
            "earlier": self.tr("Computed on this computer."),
        }.get(source, "")

    def _say(self, words: str, role: str) -> None:
        self._words.set_role(role)
        self._words.set_text(words)
        self._words.setVisible(bool(words))

    def _show(self, *, checking: bool) -> None:
        had_focus = self._check.hasFocus() or self._cancel.hasFocus()
        self._stack.setCurrentIndex(1 if checking else 0)
        if checking:
            self._words.hide()
        if had_focus:
            button = self._cancel if checking else self._check
            button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _request_copy(self) -> None:
        self.copy_requested.emit(self._sha256)


def _line(first: QWidget, *rest: QWidget) -> QWidget:
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    line.addWidget(first, 1)
    for widget in rest:
        line.addWidget(widget)
    return holder
