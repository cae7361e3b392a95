"""A row of the model picker, painted."""

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.models import ChatModel, OfferedModel
from ui.chat.conversation_model import Index
from ui.chat.leaving import LEAVES_ICON, leaves_words
from ui.chat.model_list import Heading, ModelList
from ui.icons import paint_icon
from ui.kit.chips import CHIP_HEIGHT, chip_width, paint_chip
from ui.kit.painting import INNER_RADIUS, rounded
from ui.models.fit_words import CHIP_KINDS, verdict_words
from ui.theme import Theme

ROW_HEIGHT = 36
_TEXT_LEFT = 28
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class ModelDelegate(QStyledItemDelegate):
    """Name and quant; at the right its size, or that it is in memory; a check on the chosen one.

    A heading names a source, with a badge where everything asked of it leaves this computer.
    """

    def __init__(self, theme: Theme, models: ModelList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._models = models

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._models.row_at(index)
        if row is None:
            return
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, Heading):
            self._paint_heading(painter, rect, row)
        else:
            self._paint_model(painter, option, rect, row)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRectF, heading: Heading) -> None:
        font = self._theme.font("caption")
        font.setWeight(QFont.Weight.DemiBold)
        line = rect.adjusted(8, 8, -8, 0)
        room = line.width()
        if heading.leaves:
            words = leaves_words()
            width = chip_width(self._theme, words, LEAVES_ICON)
            chip = QRectF(line.right() - width, 0, width, CHIP_HEIGHT)
            chip.moveTop(line.center().y() - CHIP_HEIGHT / 2)
            paint_chip(painter, self._theme, chip, words, "outline", LEAVES_ICON)
            room -= width + 8
        painter.setFont(font)
        painter.setPen(self._theme.color("text3"))
        elide = Qt.TextElideMode.ElideRight
        title = QFontMetricsF(font).elidedText(heading.title, elide, room)
        painter.drawText(line, _MIDDLE, title)

    def _paint_model(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRectF, model: ChatModel
    ) -> None:
        color = self._theme.color
        chosen = model.id == self._models.current_id
        if chosen:
            rounded(painter, rect, INNER_RADIUS, color("selected"))
            check = QRectF(rect.left() + 8, rect.top(), 14, rect.height())
            paint_icon(painter, "check-bold", check, 13, color("accent_text"))
        barred = self._models.is_barred(model)
        pointed = QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver
        if option.state & pointed and not barred:
            rounded(painter, rect, INNER_RADIUS, color("hover"))
        left = self._paint_end(painter, rect, model, chosen)
        self._paint_name(painter, rect.adjusted(_TEXT_LEFT, 0, left - rect.right() - 12, 0), model)

    def _paint_end(self, painter: QPainter, rect: QRectF, model: ChatModel, chosen: bool) -> float:
        """Paint the right end of a row; answers where it begins."""
        color = self._theme.color
        font = self._theme.font("small", tabular=True)
        words = self._models.end_words(model)
        left = rect.right() - 8 - QFontMetricsF(font).horizontalAdvance(words)
        painter.setFont(font)
        painter.setPen(color("text2" if chosen else "text3"))
        painter.drawText(rect.adjusted(0, 0, -8, 0), _MIDDLE | Qt.AlignmentFlag.AlignRight, words)
        if isinstance(model, OfferedModel):
            if model.leaves:
                left -= 14 + (8 if words else 0)
                icon = QRectF(left, rect.top(), 14, rect.height())
                paint_icon(painter, LEAVES_ICON, icon, 14, color("text3"))
            return left
        if model.id == self._models.loaded_id:
            left -= 12
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("accent"))
            painter.drawEllipse(QPointF(left + 3, rect.center().y() + 0.5), 3, 3)
        if (fit := self._models.warning_of(model)) is not None:
            words = verdict_words(fit)
            width = chip_width(self._theme, words)
            left -= width + 8
            chip = QRectF(left, rect.center().y() - CHIP_HEIGHT / 2, width, CHIP_HEIGHT)
            paint_chip(painter, self._theme, chip, words, CHIP_KINDS[fit.verdict], on_tint=chosen)
        return left

    def _paint_name(self, painter: QPainter, rect: QRectF, model: ChatModel) -> None:
        beside = self._models.beside_words(model)
        name_font = self._theme.font("label")
        beside_font = self._theme.font("small", tabular=True)
        metrics = QFontMetricsF(name_font)
        room = rect.width()
        if beside:
            room -= QFontMetricsF(beside_font).horizontalAdvance(beside) + 8
        # What tells the models of a service apart is often at the end of long names.
        name = metrics.elidedText(model.name, Qt.TextElideMode.ElideMiddle, room)
        painter.setFont(name_font)
        painter.setPen(self._theme.color("text3" if self._models.is_barred(model) else "text"))
        painter.drawText(rect, _MIDDLE, name)
        after = rect.adjusted(metrics.horizontalAdvance(name) + 8, 0, 0, 0)
        painter.setFont(beside_font)
        painter.setPen(self._theme.color("text2"))
        painter.drawText(after, _MIDDLE, beside)
