"""A repository of the Hub in the panel at the side."""

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text, list_date
from app.quant_choice import best_group
from catalog.hub.file_names import projector_for
from catalog.hub.records import PeftFiles, QuantFiles, Repository
from ui.background import Background
from ui.kit import Button, Chip, ComboBox, Hairline, Label, Notice, Paragraph
from ui.kit.flow import Flow
from ui.messages.formats import OUT
from ui.messages.mathematics import Formulas
from ui.models.detail_choice import OfferChoice
from ui.models.detail_entry import link_button
from ui.models.detail_licence import LicenceView
from ui.models.detail_offers import offers_of_repository
from ui.models.discover_result_rows import downloads_words, likes_words
from ui.models.discover_services import FitSource
from ui.models.entry_words import parameter_words
from ui.models.fit_words import context_words
from ui.models.hub_card import ReadableCard
from ui.models.hub_card_view import HubCardView
from ui.theme import Theme


class RepositoryDetail(QWidget):
    """Its numbers, its files by quant, its licence, and its card.

    Attributes:
        repository: what is shown.
        choice: what can be fetched; None where nothing can.

    Signals:
        choice_changed: `choice` is another, with another projector.
        search_requested(str): look for this.
        settings_requested(str): open this section of the settings.
        link_activated(str): an address.
        convert_requested(str, str): convert the adapter in this repository, which was trained on
            that model.
    """

    convert_requested = Signal(str, str)
    choice_changed = Signal()
    search_requested = Signal(str)
    settings_requested = Signal(str)
    link_activated = Signal(str)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        fitting: FitSource,
        formulas: Formulas,
        repository: Repository,
        card: ReadableCard,
        now: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._background = background
        self._fitting = fitting
        self.repository = repository
        self._now = now
        self.choice: OfferChoice | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        # The blocks of the card reach out; its text keeps to the edge of all other text.
        self._column = QVBoxLayout()
        self._column.setContentsMargins(OUT, 0, OUT, 0)
        self._column.setSpacing(0)
        outer.addLayout(self._column)
        self._add_origin()
        self._add_chips()
        if repository.gated == "ask":
            self._add_gate()
        self._projectors = self._add_projectors()
        self._place = QVBoxLayout()
        self._column.addLayout(self._place)
        self._offer()
        self._column.addSpacing(20)
        licence = LicenceView(theme, repository.licence, repository.licence_url)
        licence.link_activated.connect(self.link_activated)
        self._column.addWidget(licence)
        if card.text:
            self._add_card_head(card)
            view = HubCardView(theme, formulas, card.text)
            view.link_activated.connect(self.link_activated)
            outer.addWidget(view)
        outer.addStretch(1)

    def put_comparison(self, comparison: QWidget) -> None:
        """Show above the files which models an adapter fits."""
        place = self._column.indexOf(self._place)
        self._column.insertWidget(place, comparison)
        self._column.insertSpacing(place + 1, 16)

    def _add_origin(self) -> None:
        repository = self.repository
        owner = repository.repo.partition("/")[0]
        words = self.tr("{owner} on Hugging Face").format(owner=owner)
        act = partial(self.link_activated.emit, repository.url)
        self._column.addWidget(link_button(self._theme, words, act))
        more = Button(self._theme, self.tr("More from {owner}").format(owner=owner), "link")
        more.clicked.connect(partial(self.search_requested.emit, f"{owner}/"))
        facts = []
        if repository.downloads:
            facts.append(downloads_words(repository.downloads))
        if repository.likes:
            facts.append(likes_words(repository.likes))
        if repository.updated:
            when = list_date(repository.updated, self._now())
            facts.append(self.tr("updated {when}").format(when=when))
        self._column.addWidget(
            Label(self._theme, " · ".join(facts), "small", "text3", tabular=True)
        )
        row = QHBoxLayout()
        row.addWidget(more)
        row.addStretch(1)
        self._column.addLayout(row)
        self._column.addSpacing(8)

    def _add_chips(self) -> None:
        repository = self.repository
        words = [parameter_words(repository.parameters) if repository.parameters else ""]
        words.append(repository.architecture)
        if repository.context:
            length = context_words(repository.context)
            words.append(self.tr("{length} context").format(length=length))
        chips = [Chip(self._theme, word[:40]) for word in words if word]
        if chips:
            self._column.addWidget(Flow(chips))
            self._column.addSpacing(12)
        if repository.base:
            text = self.tr("Made from {base}.").format(base=repository.base)
            self._column.addWidget(Paragraph(self._theme, text, "small"))
            self._column.addSpacing(12)

    def _add_gate(self) -> None:
        page = Button(self._theme, self.tr("Open its page"), icon="arrow-square-out")
        page.clicked.connect(partial(self.link_activated.emit, self.repository.url))
        token = Button(self._theme, self.tr("Set the token"), "ghost")
        token.clicked.connect(partial(self.settings_requested.emit, "network"))
        notice = Notice(
            self._theme,
            "warn",
            self.tr("Its owner asks for consent."),
            self.tr(
                "Agree on its page, signed in to Hugging Face. Then make a token there and set "
                "it in the settings."
            ),
            (page, token),
        )
        self._column.addWidget(notice)
        self._column.addSpacing(16)

    def _add_projectors(self) -> ComboBox | None:
        """The choice between projectors, where it has any."""
        projectors = self.repository.projectors
        if not projectors:
            return None
        items: list[tuple[str, object]] = []
        for number, group in enumerate(projectors):
            size = bytes_text(group.size_bytes, digits=2) if group.size_bytes else ""
            words = " · ".join(word for word in (group.quant, size) if word)
            items.append((words or group.files[0].source.name, number))
        items.append((self.tr("None: text only"), -1))
        box = ComboBox(self._theme, self.tr("Projector"), items)
        box.setToolTip(self.tr("The projector is what the model sees with"))
        weights = best_group(self.repository, lambda group: None)
        best = projector_for(weights, projectors) if weights is not None else None
        box.select(projectors.index(best) if best is not None else -1)
        box.currentIndexChanged.connect(self._offer)
        row = QHBoxLayout()
        row.addWidget(Label(self._theme, self.tr("Projector"), role="text2"))
        row.addStretch(1)
        row.addWidget(box)
        self._column.addLayout(row)
        self._column.addSpacing(16)
        return box

    def _offer(self) -> None:
        """Offer the files, with the projector that is chosen."""
        while (item := self._place.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        repository = self.repository
        offers = offers_of_repository(repository, self._projector(), self._fitting)
        if not offers:
            self.choice = None
            self._place.addWidget(self._nothing())
            return
        self.choice = OfferChoice(self._theme, self._background, offers, repository.context)
        self._place.addWidget(self.choice)
        self.choice_changed.emit()

    def _projector(self) -> QuantFiles | None:
        number = self._projectors.currentData() if self._projectors is not None else -1
        return self.repository.projectors[number] if number >= 0 else None

    def _nothing(self) -> QWidget:
        if not self.repository.listed:
            return Notice(
                self._theme,
                "info",
                self.tr("The mirror does not list the files."),
                self.tr("Ask whoever keeps the mirror, or look for the model in the catalogue."),
            )
        if self.repository.peft is not None:
            return self._peft_notice(self.repository.peft)
        return Notice(
            self._theme,
            "info",
            self.tr("There is no GGUF file in it."),
            self.tr("Look for one whose name ends in “GGUF”: it has this model converted."),
        )

    def _peft_notice(self, peft: PeftFiles) -> Notice:
        """An adapter as it was trained, which can be converted here, unless it is a pickle."""
        if peft.pickle:
            return Notice(
                self._theme,
                "warn",
                self.tr("This adapter can't be used: its weights are a pickle, “{file}”.").format(
                    file=peft.pickle
                ),
                self.tr(
                    "A pickle is a program that runs when it is read, and that may do anything. "
                    "Look for the adapter with “adapter_model.safetensors”."
                ),
            )
        repository = self.repository
        convert = Button(self._theme, self.tr("Convert for a model…"), "primary")
        convert.clicked.connect(
            partial(self.convert_requested.emit, repository.repo, repository.base)
        )
        return Notice(
            self._theme,
            "info",
            self.tr("An adapter as it was trained (PEFT)."),
            self.tr("It is fetched, and made into a GGUF file for a model that you have."),
            (convert,),
        )

    def _add_card_head(self, card: ReadableCard) -> None:
        self._column.addSpacing(20)
        self._column.addWidget(Hairline(self._theme))
        self._column.addSpacing(16)
        words = []
        if card.images:
            one = self.tr("A picture of its page is not loaded.")
            many = self.tr("{count} pictures of its page are not loaded.")
            words.append(one if card.images == 1 else many.format(count=card.images))
        if card.is_cut:
            words.append(self.tr("This is the beginning; the rest is at Hugging Face."))
        if words:
            self._column.addWidget(Paragraph(self._theme, " ".join(words), "small", "text3"))
            self._column.addSpacing(12)
