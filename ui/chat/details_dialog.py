"""How an answer came about."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from backends.protocol import TokenLogprob
from ui.chat.probabilities.probabilities import Probabilities
from ui.kit import Button, Label
from ui.kit.fitted_dialog import room_on_screen
from ui.theme import Theme

_WIDTH = 440
_PROBABILITIES_WIDTH = 440
_LOWEST, _TALLEST = 420, 640


class DetailsDialog(QDialog):
    """Names and values in two columns, the values can be selected; and beside them the probabilities
    of the tokens, where they were kept. Esc closes it.
    """

    def __init__(
        self,
        theme: Theme,
        rows: Sequence[tuple[str, str]],
        tokens: Sequence[TokenLogprob] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Details of the answer"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        left = QWidget()
        grid = QGridLayout(left)
        grid.setContentsMargins(0, 4, 8, 4)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate(rows):
            grid.addWidget(Label(theme, name, role="text2"), number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(_value(theme, name, value), number, 1, Qt.AlignmentFlag.AlignTop)
        grid.setRowStretch(len(rows), 1)
        parts = QHBoxLayout()
        parts.setSpacing(24)
        figures = _scrolling(left)
        figures.setAccessibleName(self.tr("Figures"))
        parts.addWidget(figures)
        if tokens:
            parts.addWidget(Probabilities(theme, tokens), 1)
        close = Button(theme, self.tr("Close"))
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(20)
        column.addLayout(parts, 1)
        column.addLayout(buttons)
        left.setFixedWidth(_WIDTH - 2 * 24)
        self.setMinimumWidth(_WIDTH)
        needed = left.sizeHint().height() + 112
        wanted = QSize(_WIDTH, min(needed, _TALLEST))
        if tokens:
            wanted = QSize(_WIDTH + _PROBABILITIES_WIDTH, max(wanted.height(), _LOWEST))
        self.resize(wanted.boundedTo(room_on_screen(self)))
        # Not the figures: they can only be scrolled, and a ring around them would be all one sees.
        close.setFocus(Qt.FocusReason.OtherFocusReason)


def _scrolling(part: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidget(part)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidgetResizable(True)
    scroll.setProperty("reading", True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFixedWidth(_WIDTH - 2 * 24 + 12)
    return scroll


def _value(theme: Theme, name: str, value: str) -> QLabel:
    # A break may be needed inside a checksum or a path.
    label = QLabel(_breakable(value))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(theme.font("body", tabular=True))
    label.setWordWrap(True)
    # On the line of its name, which stands in the middle of a line of the look.
    above = (theme.line_height("body") - label.fontMetrics().height()) // 2
    label.setContentsMargins(0, max(above, 0), 0, 0)
    label.setAccessibleName(f"{name}: {value}")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _breakable(value: str) -> str:
    return value if " " in value else "\u200b".join(value)
