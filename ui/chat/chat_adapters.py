"""Which installed adapters the shown chat can have: read off the main thread, told to the inspector."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.services import Services
from catalog.errors import CatalogError
from catalog.library import InstalledModel
from ui.chat.adapters.adapters_section import AdaptersSection
from ui.chat.adapters.offers import AdapterOffer
from ui.chat.model_picker import ModelPicker
from ui.chat.open_chat import ChatContents
from ui.chat.shown_chat import ShownChat


class ChatAdapters(QObject):
    """Reads for each model once, and again when something else is installed or the list opens.

    Signals:
        words_chosen(str): trigger words for the message.
        find_requested: the person looks for adapters that are not here yet.
    """

    words_chosen = Signal(str)
    find_requested = Signal()

    def __init__(
        self,
        shown: ShownChat,
        section: AdaptersSection,
        picker: ModelPicker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self._section = section
        self._model: InstalledModel | None = None
        shown.opened.connect(self._show)
        shown.refreshed.connect(self._show)
        section.offers_wanted.connect(self.read)
        section.acting_changed.connect(picker.show_adapters)
        section.words_chosen.connect(self.words_chosen)
        section.find_requested.connect(self.find_requested)

    def read(self) -> None:
        """Look anew at what is installed, and whether it fits the chat's model."""
        model = self._model
        if model is None:
            return

        def show(offers: tuple[AdapterOffer, ...]) -> None:
            if model == self._model:
                self._section.show_offers(offers)

        self._shown.beside(partial(_offers, self._shown.services, model), show)

    def _show(self, contents: ChatContents) -> None:
        model = contents.model
        before, self._model = self._model, model if isinstance(model, InstalledModel) else None
        if before != self._model:
            if before is None or self._model is None or before.id != self._model.id:
                self._section.show_offers(None)  # what is known is of another model
            self.read()


def _offers(services: Services, model: InstalledModel) -> tuple[AdapterOffer, ...]:
    return tuple(
        AdapterOffer(
            choice.adapter.id,
            choice.adapter.name,
            choice.adapter.size_bytes,
            choice.fit.fits,
            choice.fit.reason,
            _trigger_words(services, choice.adapter),
        )
        for choice in services.adapters.for_model(model)
    )


def _trigger_words(services: Services, adapter: InstalledModel) -> str:
    try:
        return services.adapters.facts(adapter).trigger_words
    except CatalogError:
        return ""  # its file can't be read: that is why it does not fit, too
