"""How a line of the conversation list is painted, and its title edited in place."""

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.conversations.records import ConversationRow
from ui.chat.conversation_model import LINE_ROLE, WHEN_ROLE, WRITING_ROLE, ConversationModel, Index
from ui.kit.painting import row_ground
from ui.theme import Theme

ROW_HEIGHT = 52
GROUP_HEIGHT = 32
EDGE = 16  # where text begins, from the list's edge
INSET = 8  # where the ground of a row begins
TITLE_LIMIT = 200


class ConversationDelegate(QStyledItemDelegate):
    """Title and time on the first line, the newest words on the second."""

    def __init__(self, theme: Theme, model: ConversationModel, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
        self._row_size = QSize(0, ROW_HEIGHT)
        self._group_size = QSize(0, GROUP_HEIGHT)
        self.keyboard_used = False

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._group_size if isinstance(index.data(LINE_ROLE), str) else self._row_size

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = index.data(LINE_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(line, str):
            self._paint_group(painter, QRectF(option.rect), line)
        else:
            self._paint_ground(painter, option)
            self._paint_row(painter, option, index, line)
        painter.restore()

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QLineEdit:
        editor = QLineEdit(parent)
        editor.setAccessibleName(self.tr("Title of the chat"))
        editor.setMaxLength(TITLE_LIMIT)
        editor.setFont(self._theme.font("label"))
        editor.installEventFilter(self)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        editor.setGeometry(_ground(option.rect).toRect().adjusted(0, 8, 0, -8))

    def eventFilter(self, editor: QObject, event: QEvent) -> bool:
        # Esc and the window's other single keys belong to the field while it is open.
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().eventFilter(editor, event)

    def _paint_group(self, painter: QPainter, rect: QRectF, title: str) -> None:
        font = self._theme.font("caption")
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(self._theme.color("text3"))
        painter.drawText(rect.adjusted(EDGE, 8, -EDGE, 0), Qt.AlignmentFlag.AlignVCenter, title)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        ground = _ground(option.rect)
        row_ground(painter, ground, option, self._theme.color, ring=self.keyboard_used)

    def _paint_row(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, row: ConversationRow
    ) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        writing = bool(index.data(WRITING_ROLE))
        rect = QRectF(option.rect)
        line = QRectF(EDGE, rect.top() + 6, rect.width() - 2 * EDGE, 20)
        right = self._paint_dot(painter, line) if writing else 0.0
        if not writing:
            right = self._paint_when(painter, line, index.data(WHEN_ROLE), selected)
        painter.setPen(self._theme.color("text"))
        self._paint_elided(painter, line.adjusted(0, 0, -right, 0), "label", index.data())
        role = "text2" if selected else "text3"
        if writing:
            role = "accent_text"
        elif row.status == "interrupted":
            role = "danger"
        painter.setPen(self._theme.color(role))
        below = QRectF(EDGE, rect.top() + 26, line.width(), 18)
        self._paint_elided(painter, below, "small", self._model.snippet(row))

    def _paint_dot(self, painter: QPainter, line: QRectF) -> float:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("accent"))
        painter.drawEllipse(QPointF(line.right() - 5, line.center().y()), 3.5, 3.5)
        return 16.0

    def _paint_when(self, painter: QPainter, line: QRectF, when: str, selected: bool) -> float:
        font = self._theme.font("caption", tabular=True)
        font.setWeight(font.Weight.Normal)
        painter.setFont(font)
        painter.setPen(self._theme.color("text2" if selected else "text3"))
        end = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(line, end, when)
        return QFontMetricsF(font).horizontalAdvance(when) + 8

    def _paint_elided(self, painter: QPainter, rect: QRectF, kind: str, text: str) -> None:
        font = self._theme.font(kind)
        painter.setFont(font)
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)


def _ground(rect: QRect) -> QRectF:
    return QRectF(rect).adjusted(INSET, 1, -INSET, -1)
