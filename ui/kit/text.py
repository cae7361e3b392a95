"""Text: one line, one line that gives way, and paragraphs with the line height of the look."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

Alignment = Qt.AlignmentFlag


class Label(QLabel):
    """One line of plain text in a kind and a colour role."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        kind: str = "body",
        role: str = "text",
        tabular: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self._role = role
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(kind, tabular))
        self.setFixedHeight(theme.line_height(kind))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def set_role(self, role: str) -> None:
        """Another colour."""
        self._role = role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.theme.color(self._role if self.isEnabled() else "disabled"))
        horizontal = self.alignment() & Alignment.AlignHorizontal_Mask
        painter.drawText(
            QRectF(self.contentsRect()), horizontal | Alignment.AlignVCenter, self._shown()
        )

    def _shown(self) -> str:
        return self.text()


class ElidedLabel(Label):
    """One line that ends in an ellipsis where it does not fit; the tooltip then has it whole."""

    def minimumSizeHint(self) -> QSize:
        return QSize(16, self.height())

    def _shown(self) -> str:
        metrics = QFontMetricsF(self.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        tooltip = self.text() if shown != self.text() else ""
        if plain_tooltip(tooltip) != self.toolTip():
            self.setToolTip(plain_tooltip(tooltip))
        return shown


class Paragraph(QLabel):
    """Wrapped plain text, with an emphasised beginning where there is a `lead`."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        kind: str = "body",
        role: str = "text2",
        lead: str = "",
        alignment: Qt.AlignmentFlag = Alignment.AlignLeft,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self._kind = kind
        self._role = role
        self._alignment = alignment
        self._lead = lead
        self._body = text
        self._document = QTextDocument(self)
        self._document.setDocumentMargin(0)
        self._document.setDefaultFont(theme.font(kind))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setTextFormat(Qt.TextFormat.PlainText)
        theme.changed.connect(self._render)
        self.set_text(text, lead)

    def set_text(self, text: str, lead: str = "") -> None:
        self._body = text
        self._lead = lead
        # The label's own text is what a screen reader reads.
        self.setText(f"{lead} {text}".strip())
        self._render()
        self.updateGeometry()

    def set_role(self, role: str) -> None:
        """Another colour."""
        self._role = role
        self._render()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        # A layout that centres this asks for its own width, which can be more than this will get.
        width = min(width, self.maximumWidth())
        if self._document.textWidth() != width:
            self._document.setTextWidth(width)
        return round(self._document.size().height())

    def sizeHint(self) -> QSize:
        width = min(round(QFontMetricsF(self.font()).horizontalAdvance(self.text())) + 8, 320)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.theme.line_height(self._kind))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._document.setTextWidth(self.width())
        self._document.drawContents(painter)

    def _render(self) -> None:
        self._document.clear()
        cursor = QTextCursor(self._document)
        block = QTextBlockFormat()
        fixed = QTextBlockFormat.LineHeightTypes.FixedHeight.value
        block.setLineHeight(self.theme.line_height(self._kind), fixed)
        block.setAlignment(self._alignment)
        cursor.setBlockFormat(block)
        if self._lead:
            strong = QTextCharFormat()
            strong.setFontWeight(600)
            strong.setForeground(self.theme.color("text"))
            cursor.insertText(f"{self._lead} ", strong)
        plain = QTextCharFormat()
        plain.setForeground(self.theme.color(self._role))
        cursor.insertText(self._body, plain)
        self.update()
