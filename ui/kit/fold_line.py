"""A line that unfolds what is below it."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.icons import paint_icon
from ui.kit.buttons import PaintedButton
from ui.theme import Theme

_HEIGHT = 28
_OUT = 6  # hover and ring reach so far beyond the words


class FoldLine(PaintedButton):
    """A title with a caret; `toggled` says that it is unfolded. It reaches 6 px out at both sides."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, title, parent)
        self._font = theme.font("strong")
        self._summary_font = theme.font("small", tabular=True)
        self._summary = ""
        self.setText(title)
        self.setCheckable(True)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self._describe)
        self._describe()

    def show_summary(self, words: str) -> None:
        """A few words at the right about what is folded away."""
        if words != self._summary:
            self._summary = words
            self._describe()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        color = self.theme.color
        self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self._font)
        painter.setPen(color("text"))
        painter.drawText(rect.adjusted(_OUT, 0, 0, 0), middle, self.text())
        width = QFontMetricsF(self._font).horizontalAdvance(self.text())
        caret = "caret-down" if self.isChecked() else "caret-right"
        place = QRectF(_OUT + width + 6, 0, 12, rect.height())
        paint_icon(painter, caret, place, 12, color("text2"))
        if self._summary and not self.isChecked():
            painter.setFont(self._summary_font)
            painter.setPen(color("text3"))
            right = Qt.AlignmentFlag.AlignRight | middle
            painter.drawText(rect.adjusted(0, 0, -_OUT, 0), right, self._summary)

    def _describe(self) -> None:
        state = self.tr("unfolded") if self.isChecked() else self.tr("folded")
        self.setAccessibleDescription(f"{state}. {self._summary}" if self._summary else state)
