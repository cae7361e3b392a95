"""The installed adapters as rows of a list: those that fit first, the others with the reason."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.formatting import bytes_text
from ui.chat.adapters.offers import AdapterOffer
from ui.chat.conversation_model import Index
from ui.kit.painting import INNER_RADIUS, rounded
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

_ROW_HEIGHT = 36
_ROW_WITH_REASON = 52


class AdapterList(QAbstractListModel):
    """The adapters whose name has the words that are searched for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._offers: tuple[AdapterOffer, ...] = ()
        self._found: tuple[AdapterOffer, ...] = ()
        self._words = ""

    def show_offers(self, offers: Sequence[AdapterOffer]) -> None:
        self._offers = tuple(sorted(offers, key=lambda offer: not offer.fits))
        self.search(self._words)

    def search(self, words: str) -> None:
        """Keep the adapters that have every one of the words; all of them where there are none."""
        self.beginResetModel()
        self._words = words
        wanted = words.casefold().split()
        self._found = tuple(
            offer for offer in self._offers if all(word in offer.name.casefold() for word in wanted)
        )
        self.endResetModel()

    def offer_at(self, index: Index) -> AdapterOffer | None:
        return self._found[index.row()] if 0 <= index.row() < len(self._found) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        offer = self.offer_at(index)
        if offer is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return offer.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(offer.reason)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = (offer.name, bytes_text(offer.size_bytes), offer.reason)
            return ", ".join(word for word in words if word)
        return None


class AdapterDelegate(QStyledItemDelegate):
    """Name, and at the right the size; below it why it can't be used, where that is so."""

    def __init__(self, theme: Theme, adapters: AdapterList) -> None:
        super().__init__()
        self._theme = theme
        self._adapters = adapters

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        offer = self._adapters.offer_at(index)
        return QSize(0, _ROW_HEIGHT if offer is None or offer.fits else _ROW_WITH_REASON)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        offer = self._adapters.offer_at(index)
        if offer is None:
            return
        color = self._theme.color
        rect = QRectF(option.rect)
        painter.save()
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            rounded(painter, rect, INNER_RADIUS, color("hover"))
        inner = rect.adjusted(8, 0, -8, 0)
        line = inner if offer.fits else inner.adjusted(0, 6, 0, -24)
        middle = Qt.AlignmentFlag.AlignVCenter
        small = self._theme.font("small", tabular=True)
        size = bytes_text(offer.size_bytes)
        painter.setFont(small)
        painter.setPen(color("text3"))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | middle, size)
        name_font = self._theme.font("label")
        room = line.width() - QFontMetricsF(small).horizontalAdvance(size) - 12
        elide = Qt.TextElideMode.ElideMiddle
        painter.setFont(name_font)
        painter.setPen(color("text" if offer.fits else "text3"))
        name = QFontMetricsF(name_font).elidedText(offer.name, elide, room)
        painter.drawText(line, middle, name)
        if not offer.fits:
            self._paint_reason(painter, inner.adjusted(0, 26, 0, -6), offer.reason)
        painter.restore()

    def _paint_reason(self, painter: QPainter, rect: QRectF, reason: str) -> None:
        font = self._theme.font("small")
        elide = Qt.TextElideMode.ElideRight
        painter.setFont(font)
        painter.setPen(self._theme.color("warn"))
        words = QFontMetricsF(font).elidedText(reason, elide, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, words)
