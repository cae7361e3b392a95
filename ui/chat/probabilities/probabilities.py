"""The heat of an answer with its legend, and what is known of the token pointed at."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from backends.protocol import TokenLogprob
from ui.chat.probabilities.heat import STEPS, step_color, step_of
from ui.chat.probabilities.heat_view import MOST_TOKENS, HeatView
from ui.kit import Label, Paragraph
from ui.kit.painting import rounded
from ui.theme import Theme

_LINES_FOR_A_TOKEN = 3


class Probabilities(QWidget):
    """How sure the model was."""

    def __init__(
        self, theme: Theme, tokens: Sequence[TokenLogprob], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = HeatView(theme, tokens)
        self._token = Paragraph(
            theme, self.tr("Point at a token, or go through them with the arrow keys."), "small"
        )
        self._token.setFixedHeight(_LINES_FOR_A_TOKEN * theme.line_height("small"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(theme, self.tr("How sure the model was"), "strong"))
        column.addWidget(Paragraph(theme, self._summary(tokens), "small"))
        column.addWidget(_Legend(theme))
        column.addWidget(self._view, 1)
        column.addWidget(self._token, 0, Qt.AlignmentFlag.AlignTop)
        self._view.pointed_at.connect(self._show_token)

    def _summary(self, tokens: Sequence[TokenLogprob]) -> str:
        unsure = sum(step_of(token.logprob) == len(STEPS) - 1 for token in tokens)
        many = self.tr("{unsure} of {count} tokens had less than 15 %.")
        one = self.tr("{unsure} of {count} token had less than 15 %.")
        words = (one if len(tokens) == 1 else many).format(
            unsure=f"{unsure:,}", count=f"{len(tokens):,}"
        )
        if len(tokens) > MOST_TOKENS:
            first = self.tr("The first {count} are shown.").format(count=f"{MOST_TOKENS:,}")
            words = f"{words} {first}"
        return words

    def _show_token(self, words: str) -> None:
        self._token.set_text(words)


class _Legend(QWidget):
    """A swatch for each step, from sure to unsure."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(self.tr("The stronger the ground, the less likely the token."))
        self.setToolTip(self.accessibleName())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(60 * len(STEPS), 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        width = self.width() / len(STEPS)
        painter.setFont(self._theme.font("caption", tabular=True))
        for number, step in enumerate(STEPS):
            swatch = QRectF(number * width, 0, width - 4, self.height())
            ground = step_color(self._theme, number, "raised")
            rounded(painter, swatch, 4, ground, self._theme.color("hairline"))
            painter.setPen(self._theme.color("text"))
            painter.drawText(swatch, Qt.AlignmentFlag.AlignCenter, step.words)
