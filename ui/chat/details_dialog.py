"""How an answer came about."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.kit import Button, Label
from ui.theme import Theme

_WIDTH = 440


class DetailsDialog(QDialog):
    """Names and values in two columns; the values can be selected. Esc closes it."""

    def __init__(
        self, theme: Theme, rows: Sequence[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Details of the answer"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate(rows):
            grid.addWidget(Label(theme, name, role="text2"), number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(_value(theme, name, value), number, 1, Qt.AlignmentFlag.AlignTop)
        close = Button(theme, self.tr("Close"))
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(20)
        column.addLayout(grid)
        column.addLayout(buttons)
        self.setFixedWidth(_WIDTH)


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
