"""The line below the models that shows what is being made of them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.errors import Problem
from ui.kit import Button, ElidedLabel, Meter, Panel, Paragraph
from ui.kit.focus import pass_focus_back
from ui.models.making.maker import WorkState
from ui.theme import Theme

_METER_WIDTH = 160


class WorkStrip(Panel):
    """Hidden while there is nothing to tell. What went wrong stays until it is closed.

    Signals:
        cancel_requested
    """

    cancel_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "t", parent)
        self._working = False
        self._title = ElidedLabel(theme, "", "body")
        self._meter = Meter(theme, self.tr("Work on models"))
        self._meter.setFixedWidth(_METER_WIDTH)
        self._share = ElidedLabel(theme, "", "small", tabular=True)
        self._share.setFixedWidth(40)
        self._share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._cancel = Button(theme, self.tr("Cancel"), small=True)
        self._cancel.setAccessibleName(self.tr("Cancel the work"))
        self._cancel.clicked.connect(self.cancel_requested)
        self._problem = Paragraph(theme, "", role="danger")
        self._close = Button(theme, self.tr("Close"), "ghost", small=True)
        self._close.clicked.connect(self._forget)
        line = QHBoxLayout(self)
        line.setContentsMargins(24, 9, 16, 8)
        line.setSpacing(12)
        line.addWidget(self._title, 1)
        line.addWidget(self._meter)
        line.addWidget(self._share)
        line.addWidget(self._cancel)
        line.addWidget(self._problem, 1)
        line.addWidget(self._close)
        self._show(None)

    def show_state(self, state: WorkState | None) -> None:
        """What goes on; None for nothing."""
        if state is not None:
            title = state.title
            if state.waiting:
                title = self.tr("{title}; {count} more to come").format(
                    title=title, count=state.waiting
                )
            self._title.setText(title)
            self._meter.set_fraction(state.fraction or None)
            self._share.setText(f"{state.fraction:.0%}" if state.fraction else "")
        self._show(state)

    def show_problem(self, title: str, problem: Problem) -> None:
        """What went wrong, until the person closes it."""
        self._problem.set_text(problem.sentence(), f"{title}.")
        self._show(None)

    def _show(self, state: WorkState | None) -> None:
        told = bool(self._problem.text())
        if state is None and not told:
            pass_focus_back(self)
        work: tuple[QWidget, ...] = (self._title, self._meter, self._share, self._cancel)
        for widget in work:
            widget.setVisible(state is not None)
        self._problem.setVisible(state is None and told)
        self._close.setVisible(state is None and told)
        self.setVisible(state is not None or told)

    def _forget(self) -> None:
        self._problem.set_text("")
        self._show(None)
