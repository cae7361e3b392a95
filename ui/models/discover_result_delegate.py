"""How the rows of the results are painted."""

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from catalog.hub.records import FoundRepository
from ui.chat.conversation_model import Index
from ui.icons import paint_icon
from ui.kit.painting import row_ground
from ui.models.discover_entries import EntryFacts
from ui.models.discover_result_rows import (
    FACTS_ROLE,
    ROW_ROLE,
    EntryRow,
    HeadingRow,
    HubRow,
    NoteRow,
    ResultRows,
)
from ui.models.download_words import percent_words
from ui.models.entry_facts import Inked, meta_words
from ui.models.entry_view import EntryView
from ui.models.entry_words import CAPABILITY_ICONS, parameter_words
from ui.models.fit_words import INK_ROLES, verdict_words
from ui.theme import Theme

_ROW = 52
_HEADING = 44
RESULT_BLEED = 12

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_WRAPPED = Qt.TextFlag.TextWordWrap


class ResultDelegate(QStyledItemDelegate):
    """Two lines a result: its name and what it takes, what it is and what it can do."""

    def __init__(self, theme: Theme, rows: ResultRows, view: EntryView) -> None:
        super().__init__(view)
        self._theme = theme
        self._rows = rows
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row = index.data(ROW_ROLE)
        if isinstance(row, HeadingRow):
            return QSize(0, _HEADING)
        if isinstance(row, NoteRow):
            return QSize(0, self._note_height(row))
        return QSize(0, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        inner = rect.adjusted(RESULT_BLEED, 0, -RESULT_BLEED, 0)
        match index.data(ROW_ROLE):
            case HeadingRow(title):
                self._paint(painter, inner.adjusted(0, 12, 0, 0), "strong", "text", title)
            case EntryRow():
                self._paint_ground(painter, rect, option)
                self._paint_entry(painter, inner, index.data(FACTS_ROLE))
            case HubRow() as row:
                self._paint_ground(painter, rect, option)
                self._paint_found(painter, inner, row)
            case NoteRow() as row:
                if row.act:
                    self._paint_ground(painter, rect, option)
                self._paint_note(painter, inner, row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRectF, option: QStyleOptionViewItem) -> None:
        ground = rect.adjusted(0, 1, 0, -1)
        row_ground(
            painter,
            ground,
            option,
            self._theme.color,
            selected="accent_soft",
            ring=self._view.keyboard_used,
        )

    def _paint_entry(self, painter: QPainter, inner: QRectF, facts: EntryFacts) -> None:
        upper, lower = _lines(inner)
        taken = self._paint_inked(painter, upper, _marked(facts))
        name = facts.entry.name
        self._paint(painter, upper.adjusted(0, 0, -taken - 12, 0), "label", "text", name)
        if facts.installed:
            at = min(
                QFontMetricsF(self._theme.font("label")).horizontalAdvance(name) + 8,
                upper.width() - taken - 16,
            )
            check = QRectF(upper.left() + at, upper.top(), 14, upper.height())
            paint_icon(painter, "check-circle-fill", check, 14, self._theme.color("accent_text"))
        taken = 0.0
        for capability in reversed(facts.entry.capabilities):
            if icon := CAPABILITY_ICONS.get(capability):
                box = QRectF(lower.right() - taken - 15, lower.top(), 15, lower.height())
                paint_icon(painter, icon, box, 15, self._theme.color("text3"))
                taken += 21
        summary = lower.adjusted(0, 0, -taken - 12, 0)
        self._paint(painter, summary, "small", "text2", facts.entry.summary)

    def _paint_found(self, painter: QPainter, inner: QRectF, row: HubRow) -> None:
        upper, lower = _lines(inner)
        found = row.found
        inked: list[Inked] = []
        if found.gated:
            inked.append((self._rows.tr("asks for consent"), "text3"))
        if found.parameters:
            role = "text3" if row.fit is None else INK_ROLES[row.fit.verdict]
            inked.append((parameter_words(found.parameters), role))
            if row.fit is not None and row.fit.verdict != "fits":
                inked.append((verdict_words(row.fit).lower(), role))
        taken = self._paint_inked(painter, upper, inked)
        self._paint(painter, upper.adjusted(0, 0, -taken - 12, 0), "label", "text", found.name)
        self._paint_facts(painter, lower, found)

    def _paint_facts(self, painter: QPainter, lower: QRectF, found: FoundRepository) -> None:
        self._paint(painter, lower, "small", "text2", self._rows.hub_words(found), tabular=True)

    def _paint_note(self, painter: QPainter, inner: QRectF, row: NoteRow) -> None:
        role = "danger" if row.is_problem else "text"
        taken = 0.0
        if row.words:
            font = self._theme.font("label")
            painter.setFont(font)
            painter.setPen(self._theme.color("accent_text"))
            line = QRectF(inner.left(), inner.top() + 10, inner.width(), 20)
            painter.drawText(line, _RIGHT, row.words)
            taken = QFontMetricsF(font).horizontalAdvance(row.words) + 16
        title = QRectF(inner.left(), inner.top() + 10, inner.width() - taken, 20)
        self._paint(painter, title, "label", role if row.text else "text2", row.title)
        if row.text:
            painter.setFont(self._theme.font("small"))
            painter.setPen(self._theme.color("text2"))
            below = QRectF(inner.left(), inner.top() + 30, inner.width(), inner.height() - 30)
            painter.drawText(below, _WRAPPED, row.text)

    def _note_height(self, row: NoteRow) -> int:
        if not row.text:
            return 40
        metrics = QFontMetrics(self._theme.font("small"))
        width = max(self._view.viewport().width() - 2 * RESULT_BLEED, 1)
        box = metrics.boundingRect(0, 0, width, 1000, _WRAPPED, row.text)
        return math.ceil(30 + box.height() + 12)

    def _paint_inked(self, painter: QPainter, line: QRectF, inked: list[Inked]) -> float:
        """Words at the right end of a line; answers the room that they take."""
        font = self._theme.font("small", tabular=True)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        rest = QRectF(line)
        for place, (words, role) in enumerate(reversed(inked)):
            if place:
                painter.setPen(self._theme.color("text3"))
                painter.drawText(rest, _RIGHT, " · ")
                rest.setRight(rest.right() - metrics.horizontalAdvance(" · "))
            painter.setPen(self._theme.color(role))
            painter.drawText(rest, _RIGHT, words)
            rest.setRight(rest.right() - metrics.horizontalAdvance(words))
        return line.right() - rest.right()

    def _paint(
        self,
        painter: QPainter,
        rect: QRectF,
        kind: str,
        role: str,
        words: str,
        *,
        tabular: bool = False,
    ) -> None:
        font = self._theme.font(kind, tabular)
        painter.setFont(font)
        painter.setPen(self._theme.color(role))
        end = Qt.TextElideMode.ElideRight
        shown = QFontMetricsF(font).elidedText(words, end, max(rect.width(), 0))
        painter.drawText(rect, _MIDDLE, shown)


def _lines(inner: QRectF) -> tuple[QRectF, QRectF]:
    upper = QRectF(inner.left(), inner.top() + 6, inner.width(), 20)
    return upper, QRectF(inner.left(), inner.top() + 26, inner.width(), 18)


def _marked(facts: EntryFacts) -> list[Inked]:
    """Size, fit and licence; while it is being fetched, how much of it is here."""
    if facts.download is not None and (words := percent_words(facts.download)):
        return [(words, "accent_text"), *meta_words(facts)]
    return meta_words(facts)
