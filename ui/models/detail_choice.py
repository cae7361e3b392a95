"""The middle of the panel: the action, the quants, the memory that the chosen one needs."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.formatting import bytes_text
from catalog.downloads.wanted import DownloadState
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.background import Background, Task
from ui.kit import Paragraph
from ui.models.detail_action import ActionArea
from ui.models.detail_licence import LicenceQuestion
from ui.models.detail_memory import MemoryView
from ui.models.detail_offers import (
    Offer,
    best_offer,
    download_of,
    exact_fit,
    installed_of,
    rough_fits,
)
from ui.models.detail_quants import QuantTable
from ui.theme import Theme

_READ_MS = 3000
"""How long the library may take to list what was fetched."""

_REST_MS = 250
"""How long a choice must rest before the header of its file is read from afar."""


class OfferChoice(QWidget):
    """Offers, of which one is chosen.

    Signals:
        download_requested: that `DownloadRequest`; the licence has been agreed to, where it asks for it.
        chat_requested: with that `InstalledModel`.
        pause_requested(str): the download of that id.
        show_downloads_requested
    """

    download_requested = Signal(object)
    chat_requested = Signal(object)
    pause_requested = Signal(str)
    show_downloads_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        background: Background,
        offers: Sequence[Offer],
        longest_context: int,
        question: LicenceQuestion | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._offers = {offer.id: offer for offer in offers}
        self._question = question
        self._chosen = best_offer(offers, {})
        self._by_hand = False
        self._n_ctx = 0
        self._number = 0
        self._reading: Task | None = None
        self._rough: dict[str, Fit] = {}
        self._exact: dict[tuple[str, int], Fit] = {}
        self._models: Sequence[InstalledModel] = ()
        self._states: Sequence[DownloadState] = ()
        self._latest: Sequence[DownloadState] = ()
        self._disk_free = 0
        self._action = ActionArea(theme)
        self._table = QuantTable(theme, offers)
        self._memory = MemoryView(theme)
        self._checksum = Paragraph(theme, "", "small", "text3")
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._ask_exact)
        self._unread = QTimer(self, singleShot=True, interval=_READ_MS)
        self._unread.timeout.connect(self._show_latest)
        self._memory.offer_contexts(longest_context)
        self._lay_out()
        self._connect()
        self._show_chosen()
        self._ask_rough()

    @property
    def chosen(self) -> Offer | None:
        return self._chosen

    def show_installed(self, models: Sequence[InstalledModel]) -> None:
        self._models = models
        self._unread.stop()
        self._states = self._latest
        self._prefer_what_is_here()
        self._show_states()

    def show_downloads(self, states: Sequence[DownloadState]) -> None:
        before = {state.request.id: state for state in self._states}
        self._states = [_until_read(state, before.get(state.request.id)) for state in states]
        self._latest = states
        if self._states != list(states):
            self._unread.start()
        self._prefer_what_is_here()
        self._show_states()

    def show_disk(self, free: int) -> None:
        """Bytes free where models are kept, 0 where that is not known."""
        self._disk_free = free
        self._show_states()

    def show_machine(self, disk_free: int) -> None:
        """There is more or less memory now than there was."""
        self._exact.clear()
        self._ask_rough()
        self.show_disk(disk_free)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._rest.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rest.stop()
        self._stop_reading()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._action)
        if self._question is not None:
            column.addWidget(self._question)
            self._question.hide()
        column.addSpacing(16)
        column.addWidget(self._table)
        column.addSpacing(8)
        column.addWidget(self._checksum)
        column.addSpacing(20)
        column.addWidget(self._memory)

    def _connect(self) -> None:
        self._table.chosen.connect(self._choose)
        self._table.download_requested.connect(self._download_other)
        self._memory.context_chosen.connect(self._set_context)
        self._action.download_requested.connect(self._download)
        self._action.chat_requested.connect(self._chat)
        self._action.pause_requested.connect(self._pause)
        self._action.show_downloads_requested.connect(self.show_downloads_requested)
        if self._question is not None:
            self._question.agreed.connect(self._agree)
            self._question.declined.connect(self._decline)

    # What is shown

    def _show_chosen(self) -> None:
        offer = self._chosen
        if offer is None:
            return
        self._stop_reading()
        self._table.choose(offer.id)
        if offer.checked:
            words = self.tr("Checked against the known SHA-256 when it is here.")
        else:
            words = self.tr("Nobody has published its SHA-256: recorded on first download.")
        self._checksum.set_text(words)
        self._show_fit()
        self._show_states()
        self._rest.start()

    def _show_fit(self) -> None:
        if self._chosen is None:
            return
        fit = self._exact.get((self._chosen.id, self._n_ctx)) or self._rough.get(self._chosen.id)
        self._memory.show_fit(self._chosen.quant, fit)
        for offer_id, row in self._table.rows.items():
            row.show_fit(self._exact.get((offer_id, self._n_ctx)) or self._rough.get(offer_id))

    def _show_latest(self) -> None:
        self._states = self._latest
        self._show_states()

    def _show_states(self) -> None:
        for row in self._table.rows.values():
            here = installed_of(row.offer, self._models) is not None
            row.show_state(installed=here, download=download_of(row.offer, self._states))
        offer = self._chosen
        if offer is None:
            return
        model, state = installed_of(offer, self._models), download_of(offer, self._states)
        if model is not None:
            self._action.show_installed(model)
        elif state is not None:
            self._action.show_download(state)
        else:
            self._action.show_offer(offer, self._disk_warning(offer))

    def _disk_warning(self, offer: Offer) -> str:
        if not self._disk_free or offer.download_bytes <= self._disk_free:
            return ""
        words = self.tr("The disk has {free} free, which is too little. Make room first.")
        return words.format(free=bytes_text(self._disk_free))

    def _prefer_what_is_here(self) -> None:
        """As long as nobody has chosen, what is here or on its way comes first."""
        if self._by_hand:
            return
        for offer in self._offers.values():
            here = installed_of(offer, self._models) or download_of(offer, self._states)
            if here is not None:
                self._by_hand = True
                self._chosen = offer
                self._show_chosen()
                return

    # How it fits

    def _ask_rough(self) -> None:
        self._number += 1
        op = partial(rough_fits, tuple(self._offers.values()), self._n_ctx)
        self._background.run(self, op, partial(self._take_rough, self._number))

    def _take_rough(self, number: int, fits: dict[str, Fit]) -> None:
        if number != self._number:
            return
        self._rough = fits
        best = best_offer(tuple(self._offers.values()), fits)
        if not self._by_hand and best is not None:
            self._chosen = best
            for offer_id, row in self._table.rows.items():
                row.show_best(offer_id == best.id)
            self._show_chosen()
        self._show_fit()
        self._rest.start()

    def _ask_exact(self) -> None:
        offer = self._chosen
        if offer is None or (offer.id, self._n_ctx) in self._exact:
            return
        self._stop_reading()
        op = partial(exact_fit, offer, self._n_ctx)
        done = partial(self._take_exact, self._number, offer, self._n_ctx)
        self._reading = self._background.look_up(self, op, done)

    def _stop_reading(self) -> None:
        """Nobody waits any more for the header of what was chosen before."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _take_exact(self, number: int, offer: Offer, n_ctx: int, fit: Fit | None) -> None:
        if fit is not None and number == self._number:
            self._exact[offer.id, n_ctx] = fit
            self._show_fit()

    def _set_context(self, n_ctx: int) -> None:
        self._n_ctx = n_ctx
        self._by_hand = True
        self._ask_rough()

    # What is done

    def _choose(self, offer: Offer) -> None:
        self._by_hand = True
        self._chosen = offer
        self._decline()
        self._show_chosen()

    def _download_other(self, offer: Offer) -> None:
        self._choose(offer)
        self._download()

    def _download(self) -> None:
        if self._chosen is None:
            return
        if self._question is not None and download_of(self._chosen, self._states) is None:
            self._action.hide()
            self._question.show()
            self._question.take_focus()
        else:
            self.download_requested.emit(self._chosen.request)

    def _agree(self) -> None:
        self._decline()
        self._question = None
        if self._chosen is not None:
            self.download_requested.emit(self._chosen.request)

    def _decline(self) -> None:
        if self._question is not None and not self._question.isHidden():
            self._question.hide()
            self._action.show()
            self._action.take_focus()

    def _chat(self) -> None:
        model = installed_of(self._chosen, self._models) if self._chosen is not None else None
        if model is not None:
            self.chat_requested.emit(model)

    def _pause(self) -> None:
        if self._chosen is not None:
            self.pause_requested.emit(self._chosen.id)


def _until_read(now: DownloadState, before: DownloadState | None) -> DownloadState:
    """What has just been done is on its way until the library has read it: else it would be offered
    for download once more, for a moment."""
    arrives = now.phase == "done" and before is not None and before.phase != "done"
    return before if arrives and before is not None else now
