"""A section of the inspector: its title, and what is below it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.kit import FoldLine, Label
from ui.theme import Theme

OUT = 6
"""Pixels that a line which folds reaches beyond the edge of the titles, for its ring."""


class InspectorSection(QWidget):
    """Rows under a title, with an optional button at its right."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        rows: Sequence[QWidget],
        button: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        head = QHBoxLayout()
        head.setContentsMargins(0, 8, 0, 4)
        head.addWidget(Label(theme, title, "strong"))
        head.addStretch(1)
        if button is not None:
            head.addWidget(button)
        column = _column(self)
        column.addLayout(head)
        for row in rows:
            column.addWidget(row)


class FoldedSection(QWidget):
    """Rows that are made when they are first unfolded."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        make_rows: Callable[[], Sequence[QWidget]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_rows = make_rows
        self._body: QWidget | None = None
        self._line = FoldLine(theme, title)
        self._line.toggled.connect(self._show)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 2)
        column.setSpacing(0)
        column.addWidget(self._line)

    @property
    def unfolded(self) -> bool:
        return self._line.isChecked()

    def unfold(self, unfolded: bool = True) -> None:
        self._line.setChecked(unfolded)

    def show_summary(self, words: str) -> None:
        """What is worth knowing while it is folded."""
        self._line.show_summary(words)

    def _show(self, unfolded: bool) -> None:
        if self._body is None:
            self._body = QWidget()
            column = _column(self._body)
            for row in self._make_rows():
                column.addWidget(row)
            layout = self.layout()
            assert layout is not None
            layout.addWidget(self._body)
            self._order_focus(self._body)
        # Before they have their places, one of the rows may lie below the pointer that unfolded them.
        unseen = Qt.WidgetAttribute.WA_TransparentForMouseEvents
        self._body.setAttribute(unseen)
        self._body.setVisible(unfolded)
        self._body.setAttribute(unseen, False)

    def _order_focus(self, body: QWidget) -> None:
        """Tab goes on below the title, though the rows are younger than what follows them."""
        before: QWidget = self._line
        for child in body.findChildren(QWidget):
            stops = child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.focusProxy() is None
            if stops and child.window() is self.window():  # not the list that a combo box opens
                QWidget.setTabOrder(before, child)
                before = child


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(OUT, 0, 0, 4)
    column.setSpacing(0)
    return column
