"""The installed models as rows of the picker."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.formatting import bytes_text
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.chat.conversation_model import Index
from ui.icons import paint_icon
from ui.kit.chips import CHIP_HEIGHT, chip_width, paint_chip
from ui.kit.painting import INNER_RADIUS, rounded
from ui.kit.tooltips import plain_tooltip
from ui.models.fit_words import CHIP_KINDS, verdict_words
from ui.theme import Theme

ROW_HEIGHT = 36
MODEL_ROLE = Qt.ItemDataRole.UserRole


FitOf = Callable[[InstalledModel], Fit | None]


def unknown_fit(model: InstalledModel) -> Fit | None:
    """Says of no model whether it fits."""
    return None


class ModelList(QAbstractListModel):
    """The models whose name or quant has the words that are searched for."""

    def __init__(self, fit_of: FitOf = unknown_fit, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fit_of = fit_of
        self._models: tuple[InstalledModel, ...] = ()
        self._found: tuple[InstalledModel, ...] = ()
        self._words = ""
        self.current_id = ""
        self.loaded_id = ""

    def show_models(self, models: Sequence[InstalledModel]) -> bool:
        """Show these; answers whether they are others than before."""
        if self._models == tuple(models):
            return False
        self._models = tuple(models)
        self.search(self._words)
        return True

    def search(self, words: str) -> None:
        """Keep the models that have every one of the words; all of them where there are none."""
        self.beginResetModel()
        self._words = words
        wanted = words.casefold().split()
        self._found = tuple(
            model
            for model in self._models
            if all(word in f"{model.name} {model.quant}".casefold() for word in wanted)
        )
        self.endResetModel()

    def model_at(self, index: Index) -> InstalledModel | None:
        return self._found[index.row()] if 0 <= index.row() < len(self._found) else None

    def row_of(self, model_id: str) -> int:
        """The row of a model; the first row where it is not among those found."""
        ids = [model.id for model in self._found]
        return ids.index(model_id) if model_id in ids else 0

    def size_words(self, model: InstalledModel) -> str:
        return self.tr("in memory") if model.id == self.loaded_id else bytes_text(model.size_bytes)

    def warning_of(self, model: InstalledModel) -> Fit | None:
        """Its fit where that is worth a word: it is tight, or too large."""
        fit = self._fit_of(model) if model.id != self.loaded_id else None
        return fit if fit is not None and fit.verdict != "fits" else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        model = self.model_at(index)
        if model is None:
            return None
        if role == MODEL_ROLE:
            return model
        if role == Qt.ItemDataRole.DisplayRole:
            return model.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(str(model.path))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = [model.name, model.quant, self.size_words(model)]
            if (fit := self.warning_of(model)) is not None:
                words.append(verdict_words(fit))
            if model.id == self.current_id:
                words.append(self.tr("chosen"))
            return ", ".join(word for word in words if word)
        return None


class ModelDelegate(QStyledItemDelegate):
    """Name and quant; at the right its size, or that it is in memory; a check on the chosen one."""

    def __init__(self, theme: Theme, models: ModelList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._models = models

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = self._models.model_at(index)
        if model is None:
            return
        color = self._theme.color
        rect = QRectF(option.rect)
        chosen = model.id == self._models.current_id
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            rounded(painter, rect, INNER_RADIUS, color("selected"))
            check = QRectF(rect.left() + 8, rect.top(), 14, rect.height())
            paint_icon(painter, "check-bold", check, 13, color("accent_text"))
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            rounded(painter, rect, INNER_RADIUS, color("hover"))
        left = self._paint_size(painter, rect, model, chosen)
        self._paint_name(painter, rect.adjusted(28, 0, left - rect.right() - 12, 0), model)
        painter.restore()

    def _paint_size(
        self, painter: QPainter, rect: QRectF, model: InstalledModel, chosen: bool
    ) -> float:
        """Paint the right end of a row; answers where it begins."""
        font = self._theme.font("small", tabular=True)
        words = self._models.size_words(model)
        left = rect.right() - 8 - QFontMetricsF(font).horizontalAdvance(words)
        painter.setFont(font)
        painter.setPen(self._theme.color("text2" if chosen else "text3"))
        end = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(rect.adjusted(0, 0, -8, 0), end, words)
        if model.id == self._models.loaded_id:
            left -= 12
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("accent"))
            painter.drawEllipse(QPointF(left + 3, rect.center().y() + 0.5), 3, 3)
        if (fit := self._models.warning_of(model)) is not None:
            words = verdict_words(fit)
            width = chip_width(self._theme, words)
            left -= width + 8
            chip = QRectF(left, rect.center().y() - CHIP_HEIGHT / 2, width, CHIP_HEIGHT)
            paint_chip(painter, self._theme, chip, words, CHIP_KINDS[fit.verdict], on_tint=chosen)
        return left

    def _paint_name(self, painter: QPainter, rect: QRectF, model: InstalledModel) -> None:
        name_font = self._theme.font("label")
        quant_font = self._theme.font("small", tabular=True)
        metrics = QFontMetricsF(name_font)
        room = rect.width() - QFontMetricsF(quant_font).horizontalAdvance(model.quant) - 8
        name = metrics.elidedText(model.name, Qt.TextElideMode.ElideRight, room)
        painter.setFont(name_font)
        painter.setPen(self._theme.color("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, name)
        after = rect.adjusted(metrics.horizontalAdvance(name) + 8, 0, 0, 0)
        painter.setFont(quant_font)
        painter.setPen(self._theme.color("text2"))
        painter.drawText(after, Qt.AlignmentFlag.AlignVCenter, model.quant)
