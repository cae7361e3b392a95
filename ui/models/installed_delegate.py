"""How a row of the installed models is painted."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from catalog.fit.fit import Fit
from catalog.library import InstalledModel, LibraryProblem
from ui.chat.conversation_model import Index
from ui.icons import paint_icon
from ui.kit.chips import CHIP_HEIGHT, ChipKind, chip_width, paint_chip
from ui.kit.painting import RADIUS, rounded, row_ground
from ui.models.fit_words import CHIP_KINDS, verdict_words
from ui.models.installed_list import (
    ROW_ROLE,
    GlanceOf,
    fact_words,
    glance_words,
    kind_words,
    place_words,
)
from ui.theme import Theme

ROW_HEIGHT = 64
COLUMN = 716
_BLEED = 8  # the ground of a row reaches past the column, as code does in a chat
_LEAST_MARGIN = 24
_TILE = 40
_GAP = 8

FitOf = Callable[[InstalledModel], Fit | None]


class InstalledDelegate(QStyledItemDelegate):
    """Name, quant and whose it is on the first line, the facts on the second, the fit at the right."""

    def __init__(self, theme: Theme, fit_of: FitOf, glance_of: GlanceOf, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fit_of = fit_of
        self._glance_of = glance_of
        self._size = QSize(0, ROW_HEIGHT)
        self.loaded_id = ""
        self.keyboard_used = False

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._size

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = column_of(option.rect)
        self._paint_ground(painter, option, rect.adjusted(-_BLEED, 2, _BLEED, -2))
        if isinstance(row, LibraryProblem):
            self._paint_problem(painter, rect, row)
        else:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            self._paint_model(painter, rect, row, selected)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, option: QStyleOptionViewItem, ground: QRectF
    ) -> None:
        row_ground(painter, ground, option, self._theme.color, ring=self.keyboard_used)

    def _paint_model(
        self, painter: QPainter, rect: QRectF, model: InstalledModel, selected: bool
    ) -> None:
        in_memory = model.id == self.loaded_id
        icon = "stack-simple" if model.kind == "adapter" else "cube"
        inks = ("accent_text", "accent_soft") if in_memory else ("text2", "fill")
        self._paint_tile(painter, rect, icon, *inks)
        right = rect.right()
        if (verdict := self._verdict(model)) is not None:
            words, kind = verdict
            right -= chip_width(self._theme, words)
            chip = QRectF(
                right, rect.center().y() - CHIP_HEIGHT / 2, rect.right() - right, CHIP_HEIGHT
            )
            paint_chip(painter, self._theme, chip, words, kind, on_tint=selected)
        line = QRectF(rect.left() + _TILE + 16, rect.top() + 12, 0, 20)
        line.setRight(right - 16)
        chips: list[tuple[str, ChipKind]] = []
        if words := kind_words(model):
            chips.append((words, "plain"))
        if words := place_words(model):
            chips.append((words, "outline"))
        if in_memory:
            chips.append((self.tr("In memory"), "soft"))
        self._paint_title(painter, line, model.name, model.quant, chips)
        self._paint_small(painter, line, fact_words(model, self._glance_of(model)))

    def _verdict(self, model: InstalledModel) -> tuple[str, ChipKind] | None:
        """Whether it fits: a model this computer, an adapter some of the models; None if unknown."""
        if model.kind == "adapter":
            glance = self._glance_of(model)
            if glance is None:
                return None
            return glance_words(glance), "ok" if glance.n_fitting else "plain"
        fit = self._fit_of(model)
        return None if fit is None else (verdict_words(fit), CHIP_KINDS[fit.verdict])

    def _paint_problem(self, painter: QPainter, rect: QRectF, problem: LibraryProblem) -> None:
        self._paint_tile(painter, rect, "warning", "danger", "danger_soft")
        line = QRectF(rect.left() + _TILE + 16, rect.top() + 12, 0, 20)
        line.setRight(rect.right())
        chips: list[tuple[str, ChipKind]] = [(self.tr("Can't be used"), "danger")]
        self._paint_title(painter, line, problem.path.name, "", chips)
        self._paint_small(painter, line, str(problem.error))

    def _paint_tile(
        self, painter: QPainter, rect: QRectF, icon: str, role: str, ground: str
    ) -> None:
        tile = QRectF(rect.left(), rect.center().y() - _TILE / 2, _TILE, _TILE)
        rounded(painter, tile, RADIUS, self._theme.color(ground))
        paint_icon(painter, icon, tile, 20, self._theme.color(role))

    def _paint_title(
        self,
        painter: QPainter,
        line: QRectF,
        name: str,
        quant: str,
        chips: list[tuple[str, ChipKind]],
    ) -> None:
        theme = self._theme
        strong, body = theme.font("strong"), theme.font("body")
        taken = float(sum(chip_width(theme, words) + _GAP for words, _ in chips))
        taken += QFontMetricsF(body).horizontalAdvance(quant) + _GAP if quant else 0
        metrics = QFontMetricsF(strong)
        end = Qt.TextElideMode.ElideMiddle
        shown = metrics.elidedText(name, end, max(line.width() - taken, 40))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(strong)
        painter.setPen(theme.color("text"))
        painter.drawText(line, middle, shown)
        x = line.left() + metrics.horizontalAdvance(shown) + _GAP
        if quant:
            painter.setFont(body)
            painter.setPen(theme.color("text2"))
            painter.drawText(QRectF(x, line.top(), line.right() - x, line.height()), middle, quant)
            x += QFontMetricsF(body).horizontalAdvance(quant) + _GAP
        for words, kind in chips:
            width = chip_width(theme, words)
            paint_chip(painter, theme, QRectF(x, line.top(), width, CHIP_HEIGHT), words, kind)
            x += width + _GAP

    def _paint_small(self, painter: QPainter, line: QRectF, words: str) -> None:
        font = self._theme.font("small", tabular=True)
        below = QRectF(line.left(), line.bottom() + 1, line.width(), 18)
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, below.width())
        painter.setFont(font)
        painter.setPen(self._theme.color("text2"))
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, shown)


def column_of(rect: QRect) -> QRectF:
    """The column in the middle of a row, which the page's title stands over."""
    width = min(COLUMN, rect.width() - 2 * _LEAST_MARGIN)
    left = rect.left() + (rect.width() - width) / 2
    return QRectF(left, rect.top(), width, rect.height())
