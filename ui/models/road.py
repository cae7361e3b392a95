"""A collection that tells a history: a line of time with a stop for each family."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from catalog.catalogues.entries import Entry
from ui.chat.conversation_model import Index
from ui.kit.painting import row_ground
from ui.kit.tooltips import plain_tooltip
from ui.models.discover_entries import EntryFacts, Stop, stops_of
from ui.models.entry_facts import Inked, stop_words
from ui.models.entry_view import StillView
from ui.models.entry_words import day_words, month_words
from ui.theme import Theme

ROW_HEIGHT = 36
STOP_ROLE = Qt.ItemDataRole.UserRole

BLEED = 8
_DATE_WIDTH = 58
_LINE_AT = 76
_NAME_AT = 96
_NARROWEST_NAME, _WIDEST_NAME = 104, 148
_FAR_DAYS = 120
"""Between stops that lie further apart, the line is dotted."""

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class RoadStop(NamedTuple):
    """What a row shows. `far`: much time has gone by since the stop before."""

    stop: Stop
    when: str
    words: tuple[Inked, ...]
    far: bool


class RoadModel(QAbstractListModel):
    """The stops in order of time."""

    def __init__(
        self, facts_of: Callable[[Entry], EntryFacts], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._facts_of = facts_of
        self._stops: tuple[Stop, ...] = ()
        self._main_year = ""

    def show_entries(self, entries: Sequence[Entry]) -> None:
        stops = stops_of(entries)
        if stops == self._stops:
            return
        self.beginResetModel()
        self._stops = stops
        years = [stop.published[:4] for stop in stops]
        self._main_year = max(set(years), key=years.count, default="")
        self.endResetModel()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(stop.name for stop in self._stops)

    def row_of(self, entry_id: str) -> int:
        """The row of the stop that an entry belongs to, -1 where there is none."""
        for row, stop in enumerate(self._stops):
            if any(entry.id == entry_id for entry in stop.entries):
                return row
        return -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._stops)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._stops):
            return None
        stop = self._stops[index.row()]
        if role == STOP_ROLE:
            return self._row(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return stop.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(stop.entries[0].showed)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            row = self._row(index.row())
            size = " ".join(words for words, _ in row.words)
            return f"{row.when}. {stop.name}. {stop.entries[0].showed} {size}"
        return None

    def _row(self, row: int) -> RoadStop:
        stop = self._stops[row]
        far = row > 0 and _days(self._stops[row - 1].published, stop.published) > _FAR_DAYS
        in_main_year = stop.published.startswith(self._main_year)
        when = day_words(stop.published) if in_main_year else month_words(stop.published)
        words = stop_words([self._facts_of(entry) for entry in stop.entries])
        return RoadStop(stop, when, tuple(words), far)


class Road(StillView):
    """All stops, as high as they are."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        facts_of: Callable[[Entry], EntryFacts],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, parent)
        self.stops = RoadModel(facts_of, self)
        self.use_rows(self.stops, self.stops.row_of)
        self.setItemDelegate(RoadDelegate(theme, self))
        self.setUniformItemSizes(True)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        self.stops.show_entries(entries)
        self.setFixedHeight(ROW_HEIGHT * max(self.stops.rowCount(), 1))
        self.show_mark()


class RoadDelegate(QStyledItemDelegate):
    """Day, dot, name, what it showed, and at the right what it takes."""

    def __init__(self, theme: Theme, view: Road) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(STOP_ROLE)
        if not isinstance(row, RoadStop):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        self._paint_ground(painter, rect, option)
        inner = rect.adjusted(BLEED, 0, -BLEED, 0)
        self._paint_words(painter, inner, _DATE_WIDTH, row.when, "small", "text3", right=True)
        self._paint_line(painter, inner, index, row)
        # The name is cut only where it would run into what it showed.
        room = self._name_room()
        name = inner.adjusted(_NAME_AT, 0, 0, 0)
        self._paint_words(painter, name, room, row.stop.name, "label", "text")
        taken = self._paint_facts(painter, inner, row.words)
        showed = inner.adjusted(_NAME_AT + room + 12, 0, -taken - 12, 0)
        words = _first_clause(row.stop.entries[0].showed)
        self._paint_words(painter, showed, showed.width(), words, "small", "text2")
        painter.restore()

    def _name_room(self) -> float:
        metrics = QFontMetricsF(self._theme.font("label"))
        longest = max(map(metrics.horizontalAdvance, self._view.stops.names), default=0)
        return min(max(longest, _NARROWEST_NAME), _WIDEST_NAME)

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

    def _paint_line(self, painter: QPainter, inner: QRectF, index: Index, row: RoadStop) -> None:
        color = self._theme.color
        x, y = inner.left() + _LINE_AT, inner.center().y() + 0.5
        solid, dotted = Qt.PenStyle.SolidLine, Qt.PenStyle.DotLine
        last = index.row() == self._view.stops.rowCount() - 1
        if index.row() > 0:
            painter.setPen(QPen(color("border"), 1.5, dotted if row.far else solid))
            painter.drawLine(QPointF(x, inner.top()), QPointF(x, y - 7))
        if not last:
            after = self._view.stops.index(index.row() + 1, 0).data(STOP_ROLE)
            painter.setPen(QPen(color("border"), 1.5, dotted if after.far else solid))
            painter.drawLine(QPointF(x, y + 7), QPointF(x, inner.bottom() + 1))
        painter.setPen(QPen(color("accent"), 1.5))
        painter.setBrush(color("accent" if last else "page"))
        painter.drawEllipse(QPointF(x, y), 3.5, 3.5)

    def _paint_facts(self, painter: QPainter, inner: QRectF, words: Sequence[Inked]) -> float:
        """Paint them from the right edge; answers the room that they take."""
        font = self._theme.font("small", tabular=True)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        line = QRectF(inner)
        text = " · ".join(word for word, _ in words)
        painter.setPen(self._theme.color(words[-1][1] if words else "text3"))
        painter.drawText(line, _RIGHT, text)
        return metrics.horizontalAdvance(text)

    def _paint_words(
        self,
        painter: QPainter,
        rect: QRectF,
        width: float,
        words: str,
        kind: str,
        role: str,
        *,
        right: bool = False,
    ) -> None:
        font = self._theme.font(kind, tabular=right)
        painter.setFont(font)
        painter.setPen(self._theme.color(role))
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, max(width, 0))
        box = QRectF(rect.left(), rect.top(), width, rect.height())
        painter.drawText(box, _RIGHT if right else _MIDDLE, shown)


def _days(earlier: str, later: str) -> int:
    try:
        return (date.fromisoformat(later) - date.fromisoformat(earlier)).days
    except ValueError:
        return 0


def _first_clause(text: str) -> str:
    """What fits on a line; the tooltip has it whole."""
    return re.split(r"[.:;] ", text, maxsplit=1)[0]
