"""The quants to choose from, as the rows of a card."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from app.formatting import bytes_text
from catalog.downloads.wanted import DownloadState
from catalog.fit.fit import Fit
from ui.kit import Card, Chip, Icon, IconButton
from ui.kit.buttons import PaintedButton
from ui.kit.painting import INNER_RADIUS, RADIUS, focus_ring
from ui.models.detail_offers import Offer
from ui.models.download_words import percent_words
from ui.models.fit_words import CHIP_KINDS, need_words, sum_words, verdict_words
from ui.theme import Theme

ROW_HEIGHT = 48
_LEFT = 12
_SIZE_AT = 76
_SIZE_WIDTH = 76
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class QuantRow(PaintedButton):
    """One quant: chosen by a click or the arrows, fetched by the button at its end.

    Signals:
        download_requested
    """

    download_requested = Signal()

    def __init__(self, theme: Theme, offer: Offer, parent: QWidget | None = None) -> None:
        super().__init__(theme, offer.quant, parent)
        self.offer = offer
        self._fit: Fit | None = None
        self._note = ""
        self._is_best = False
        self._chip = Chip(theme, "", "ok")
        self._chip.hide()
        name = self.tr("Download {quant}").format(quant=offer.quant)
        self._get = IconButton(theme, "download-simple", name)
        # The arrows choose a row and the button above fetches it; this one is for the mouse.
        self._get.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._get.clicked.connect(self.download_requested)
        self._here = Icon(theme, "check-circle-fill", 16, "accent_text")
        self._here.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(_LEFT, 0, 10, 0)
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self._chip)
        row.addWidget(self._get)
        row.addWidget(self._here)
        self._here.setFixedWidth(28)
        self.setCheckable(True)
        self.toggled.connect(self._dress_chip)
        self.setFixedHeight(ROW_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._name()

    def show_fit(self, fit: Fit | None) -> None:
        self._fit = fit
        self._chip.setVisible(fit is not None)
        if fit is not None:
            self.setToolTip(sum_words(fit))
            self._dress_chip()
        self._name()

    def _dress_chip(self) -> None:
        if self._fit is not None:
            kind = CHIP_KINDS[self._fit.verdict]
            if kind == "ok" and self.isChecked():
                kind = "ok_raised"  # the row has the chip's own ground
            self._chip.set_words(verdict_words(self._fit), kind)

    def show_best(self, is_best: bool) -> None:
        """Whether it is the one to begin with."""
        self._is_best = is_best
        self._name()

    def show_state(self, *, installed: bool, download: DownloadState | None) -> None:
        """Whether it is here, or on its way."""
        self._note = ""
        if installed:
            self._note = self.tr("On this computer")
        elif download is not None:
            self._note = _download_words(self, download)
        self._here.setVisible(installed)
        self._get.setVisible(not installed)
        self._get.setEnabled(download is None or download.phase in ("paused", "failed"))
        self._name()

    def sizeHint(self) -> QSize:
        return QSize(240, ROW_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self.theme.color
        rect = QRectF(self.rect())
        on = self.isChecked()
        painter.setClipPath(self._card_shape())
        if on:
            painter.fillRect(rect, color("accent_soft"))
        if self.state in ("hover", "press"):
            painter.fillRect(rect, color(self.state))
        painter.setClipping(False)
        if self.shows_ring:
            focus_ring(painter, rect, INNER_RADIUS, color("ring"))
        quiet = self._fit is not None and self._fit.verdict == "too_large"
        ink = color("text2" if quiet else "text")
        size = self._size_words()
        self._paint(
            painter, QRectF(_LEFT, 6, 200, 20), "strong" if on else "label", ink, self.offer.quant
        )
        begin = max(
            _SIZE_AT,
            _LEFT
            + QFontMetricsF(self.theme.font("strong")).horizontalAdvance(self.offer.quant)
            + 12,
        )
        self._paint(painter, QRectF(begin, 6, _SIZE_WIDTH + 24, 20), "body", ink, size)
        below = color("text2" if on else "text3")
        self._paint(painter, QRectF(_LEFT, 26, self._room(), 16), "caption", below, self._words())

    def _card_shape(self) -> QPainterPath:
        """The inside of the card that this row lies in, whose round corners stay."""
        shape = QPainterPath()
        card = self.parentWidget()
        if card is not None:
            inside = QRectF(card.rect()).translated(-self.pos().toPointF()).adjusted(1, 1, -1, -1)
            shape.addRoundedRect(inside, RADIUS - 1, RADIUS - 1)
        return shape

    def _room(self) -> float:
        end = self._chip if self._chip.isVisible() else self._get
        return max(end.x() - _LEFT - 8, 40)

    def _paint(self, painter: QPainter, rect: QRectF, kind: str, ink: QColor, words: str) -> None:
        font = self.theme.font(kind, tabular=True)
        if kind == "caption":
            font.setWeight(font.Weight.Normal)
        painter.setFont(font)
        painter.setPen(ink)
        end = Qt.TextElideMode.ElideRight
        painter.drawText(rect, _MIDDLE, QFontMetricsF(font).elidedText(words, end, rect.width()))

    def _size_words(self) -> str:
        offer = self.offer
        if not offer.size:
            return ""
        words = bytes_text(offer.size, digits=2 if offer.size_is_exact else 1)
        return words if offer.size_is_exact else f"≈ {words}"

    def _words(self) -> str:
        if self._note:
            return self._note
        words = need_words(self._fit) if self._fit is not None else ""
        if self._is_best and self._fit is not None and self._fit.verdict == "fits":
            words = self.tr("{needs} · a good start").format(needs=words)
        return words

    def _name(self) -> None:
        """What a screen reader says."""
        fit = verdict_words(self._fit) if self._fit is not None else ""
        words = (self.offer.quant, self._size_words(), fit, self._words())
        self.setAccessibleName(", ".join(word for word in words if word))
        self.update()


class QuantTable(Card):
    """The rows; the arrows move between them.

    Signals:
        chosen: the `Offer` of the row that was chosen.
        download_requested: fetch that `Offer`.
    """

    chosen = Signal(object)
    download_requested = Signal(object)

    def __init__(
        self, theme: Theme, offers: Sequence[Offer], parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent=parent)
        self.setAccessibleName(self.tr("Files to choose from"))
        self._group = QButtonGroup(self)
        self._group.buttonClicked.connect(self._choose)
        self._by_id: dict[str, QuantRow] = {}
        for offer in offers:
            row = QuantRow(theme, offer)
            row.download_requested.connect(self._request)
            self._group.addButton(row)
            self._by_id[offer.id] = row
            self.add_row(row)

    @property
    def rows(self) -> dict[str, QuantRow]:
        """By the id of the offer."""
        return self._by_id

    def choose(self, offer_id: str) -> None:
        """Mark a row, without saying that it was chosen."""
        if offer_id in self._by_id:
            self._by_id[offer_id].setChecked(True)

    def _choose(self, row: PaintedButton) -> None:
        if isinstance(row, QuantRow):
            self.chosen.emit(row.offer)

    def _request(self) -> None:
        row = self.sender()
        if isinstance(row, QuantRow):
            self.choose(row.offer.id)
            self.download_requested.emit(row.offer)


def _download_words(row: QuantRow, download: DownloadState) -> str:
    match download.phase:
        case "failed":
            return row.tr("The download failed")
        case "paused":
            words = row.tr("Paused at {percent}")
        case "waiting":
            return row.tr("Waits its turn")
        case _:
            words = row.tr("Downloading, {percent}")
    return words.format(percent=percent_words(download)).rstrip(", ")
