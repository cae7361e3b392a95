"""What opens under “Add adapter”: a search over the installed adapters, and the way to more."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QModelIndex, Signal
from PySide6.QtWidgets import QWidget

from ui.chat.adapters.adapter_list import AdapterDelegate, AdapterList
from ui.chat.adapters.offers import AdapterOffer
from ui.chat.search_popup import PopupWords, SearchPopup
from ui.theme import Theme


class AdapterPopup(SearchPopup):
    """The adapters that the chat has not got yet.

    Signals:
        adapter_chosen(str): the id of one that fits.
    """

    adapter_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._adapters = adapters = AdapterList()
        super().__init__(
            theme, adapters, adapters, AdapterDelegate(theme, adapters), _words(), parent
        )
        adapters.setParent(self)
        self.picked.connect(self._pick)

    def show_offers(self, offers: Sequence[AdapterOffer]) -> None:
        self._adapters.show_offers(offers)
        self.mark(0)
        self.fit()

    def can_choose(self, index: QModelIndex) -> bool:
        offer = self._adapters.offer_at(index)
        return offer is not None and offer.fits

    def _pick(self, index: QModelIndex) -> None:
        offer = self._adapters.offer_at(index)
        if offer is not None:
            self.adapter_chosen.emit(offer.id)


def _words() -> PopupWords:
    def tr(words: str) -> str:
        return QCoreApplication.translate("AdapterPopup", words)

    return PopupWords(
        title=tr("Adapters"),
        search=tr("Search installed adapters"),
        rows=tr("Installed adapters"),
        nothing=tr("No other adapter is installed that has these words."),
        more=tr("Find more adapters"),
    )
