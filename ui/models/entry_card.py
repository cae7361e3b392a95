"""Entries as cards, side by side."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from catalog.catalogues.entries import Entry
from catalog.downloads.wanted import DownloadState
from ui.chat.conversation_model import Index
from ui.icons import paint_icon
from ui.kit.painting import RADIUS, focus_ring, rounded
from ui.kit.tooltips import plain_tooltip
from ui.models.discover_entries import EntryFacts
from ui.models.download_words import fraction_of, percent_words
from ui.models.entry_facts import accessible_words, meta_words
from ui.models.entry_view import StillView
from ui.models.entry_words import CAPABILITY_ICONS, capability_words
from ui.theme import Theme

CARD_HEIGHT = 76
GAP = 8
_PADDING = 12
_NARROWEST = 268
_MOST_COLUMNS = 3

ENTRY_ROLE = Qt.ItemDataRole.UserRole
FACTS_ROLE = Qt.ItemDataRole.UserRole + 1

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class EntryList(QAbstractListModel):
    """Entries in the order given; what is known of each is asked when it is painted."""

    def __init__(
        self, facts_of: Callable[[Entry], EntryFacts], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._facts_of = facts_of
        self._entries: tuple[Entry, ...] = ()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        if tuple(entries) != self._entries:
            self.beginResetModel()
            self._entries = tuple(entries)
            self.endResetModel()

    def row_of(self, entry_id: str) -> int:
        """The row of an entry; -1 where it is not among them."""
        ids = [entry.id for entry in self._entries]
        return ids.index(entry_id) if entry_id in ids else -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role == ENTRY_ROLE:
            return entry
        if role == FACTS_ROLE:
            return self._facts_of(entry)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return accessible_words(self._facts_of(entry))
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(", ".join(map(capability_words, entry.capabilities)))
        return None


class CardGrid(StillView):
    """As many columns as there is room for, and a number of rows; the rest is behind “See all”.

    The marked card stays when the details open beside the cards and take columns away: a row is added.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        facts_of: Callable[[Entry], EntryFacts],
        rows: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, parent)
        self._entries: tuple[Entry, ...] = ()
        self._rows = rows
        self._columns = 0
        self.cards = EntryList(facts_of, self)
        self._delegate = CardDelegate(theme, self)
        self.use_rows(self.cards, self.cards.row_of)
        self.setItemDelegate(self._delegate)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self._arrange()

    @property
    def columns(self) -> int:
        return self._columns

    def show_entries(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)
        self._arrange()

    def mark(self, entry_id: str) -> None:
        self._marked = entry_id
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        width = max(self.width(), 1)
        columns = min(max((width + GAP) // (_NARROWEST + GAP), 1), _MOST_COLUMNS)
        shown = self._entries[: columns * max(self._rows, self._marked_row(columns) + 1)]
        rows = -(-len(shown) // columns)
        self.setFixedHeight(max(rows, 1) * (CARD_HEIGHT + GAP) - GAP)
        self._columns = columns
        self._delegate.columns, self._delegate.width = columns, width
        # A row that is full to the last pixel would be broken one card too early.
        self.setGridSize(QSize((width - 1) // columns, CARD_HEIGHT + GAP))
        self.cards.show_entries(shown)
        self.show_mark()

    def _marked_row(self, columns: int) -> int:
        """Where the marked card lies, if the widest grid shows it; else -1."""
        ids = [entry.id for entry in self._entries[: self._rows * _MOST_COLUMNS]]
        return ids.index(self._marked) // columns if self._marked in ids else -1


class CardDelegate(QStyledItemDelegate):
    """Name, one line of what it is, size and licence; icons say what it can do besides."""

    def __init__(self, theme: Theme, view: CardGrid) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self.columns = 1
        self.width = 1

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize((self.width - 1) // self.columns, CARD_HEIGHT + GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        facts = index.data(FACTS_ROLE)
        if not isinstance(facts, EntryFacts):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self._card(index.row(), option.rect.top())
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_ground(painter, rect, option, selected)
        inner = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        right = self._paint_mark(painter, inner, facts)
        self._paint_line(
            painter, inner.adjusted(0, 0, -right, 0), 8, 20, "strong", "text", facts.entry.name
        )
        self._paint_line(painter, inner, 28, 18, "small", "text2", facts.entry.summary)
        left = self._paint_icons(painter, inner, facts.entry, selected)
        self._paint_meta(painter, inner.adjusted(0, 0, -left, 0), facts, selected)
        painter.restore()

    def _card(self, row: int, top: float) -> QRectF:
        """Cells share the width evenly; the gap between two cards lies half in each."""
        width = (self.width + GAP) / self.columns - GAP
        return QRectF((row % self.columns) * (width + GAP), top, width, CARD_HEIGHT)

    def _paint_ground(
        self, painter: QPainter, rect: QRectF, option: QStyleOptionViewItem, selected: bool
    ) -> None:
        color = self._theme.color
        if selected:
            rounded(painter, rect, RADIUS, color("accent_soft"), color("accent"))
        else:
            rounded(painter, rect, RADIUS, color("raised"), color("hairline"))
        if option.state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, rect, RADIUS, color("hover"))
        if option.state & QStyle.StateFlag.State_HasFocus and self._view.keyboard_used:
            focus_ring(painter, rect, RADIUS, color("ring"))

    def _paint_mark(self, painter: QPainter, inner: QRectF, facts: EntryFacts) -> float:
        """What has been done about it; answers the room that this takes."""
        color = self._theme.color
        if facts.download is not None:
            words = percent_words(facts.download)
            font = self._theme.font("smallmd", tabular=True)
            painter.setFont(font)
            failed = facts.download.phase == "failed"
            painter.setPen(color("danger" if failed else "accent_text"))
            icon = "warning-circle" if failed else "download-simple"
            box = QRectF(inner.right() - 16, inner.top() + 8, 16, 20)
            paint_icon(painter, icon, box, 16, color("danger" if failed else "accent_text"))
            painter.drawText(
                QRectF(inner.left(), inner.top() + 8, inner.width() - 22, 20), _RIGHT, words
            )
            self._paint_progress(painter, inner, facts.download)
            return 30 + QFontMetricsF(font).horizontalAdvance(words)
        if facts.installed:
            box = QRectF(inner.right() - 16, inner.top() + 8, 16, 20)
            paint_icon(painter, "check-circle-fill", box, 16, color("accent_text"))
            return 24
        return 0

    def _paint_progress(self, painter: QPainter, inner: QRectF, state: DownloadState) -> None:
        role = "accent" if state.phase == "running" else "disabled"
        track = QRectF(inner.left(), inner.bottom() - 6, inner.width(), 2)
        rounded(painter, track, 1, self._theme.color("track"))
        track.setWidth(track.width() * (fraction_of(state) or 0.0))
        rounded(painter, track, 1, self._theme.color(role))

    def _paint_icons(self, painter: QPainter, inner: QRectF, entry: Entry, selected: bool) -> float:
        ink = self._theme.color("accent_text" if selected else "text3")
        taken = 0.0
        for capability in reversed(entry.capabilities):
            if icon := CAPABILITY_ICONS.get(capability):
                box = QRectF(inner.right() - taken - 15, inner.top() + 48, 15, 18)
                paint_icon(painter, icon, box, 15, ink)
                taken += 21
        return taken

    def _paint_meta(
        self, painter: QPainter, inner: QRectF, facts: EntryFacts, selected: bool
    ) -> None:
        font = self._theme.font("small", tabular=True)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        line = QRectF(inner.left(), inner.top() + 48, inner.width(), 18)
        for number, (words, role) in enumerate(meta_words(facts)):
            quiet = "text2" if selected and role == "text3" else role
            if number:
                painter.setPen(self._theme.color("text2" if selected else "text3"))
                painter.drawText(line, _MIDDLE, " · ")
                line.setLeft(line.left() + metrics.horizontalAdvance(" · "))
            painter.setPen(self._theme.color(quiet))
            end = Qt.TextElideMode.ElideRight
            painter.drawText(line, _MIDDLE, metrics.elidedText(words, end, max(line.width(), 0)))
            line.setLeft(line.left() + metrics.horizontalAdvance(words))

    def _paint_line(
        self,
        painter: QPainter,
        inner: QRectF,
        top: float,
        height: float,
        kind: str,
        role: str,
        words: str,
    ) -> None:
        font = self._theme.font(kind)
        painter.setFont(font)
        painter.setPen(self._theme.color(role))
        end = Qt.TextElideMode.ElideRight
        shown = QFontMetricsF(font).elidedText(words, end, inner.width())
        painter.drawText(
            QRectF(inner.left(), inner.top() + top, inner.width(), height), _MIDDLE, shown
        )
