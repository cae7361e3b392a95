"""An entry of a catalogue in the panel at the side."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from catalog.catalogues.entries import Entry
from ui.background import Background
from ui.kit import Button, Chip, ComboBox, Label, Notice, Paragraph
from ui.kit.filter_chip import FilterChip
from ui.kit.flow import Flow
from ui.kit.tooltips import plain_tooltip
from ui.models.detail_choice import OfferChoice
from ui.models.detail_licence import LicenceQuestion, LicenceView
from ui.models.detail_offers import offers_of_entry
from ui.models.discover_services import FitSource
from ui.models.entry_words import (
    capability_words,
    full_day_words,
    kind_words,
    maker_of,
    parameter_words,
)
from ui.models.fit_words import context_words
from ui.theme import Theme

_MOST_CHIPS = 4


class EntryDetail(QWidget):
    """What it is, what it showed, what can be fetched of it, and under which licence.

    Attributes:
        entry: what is shown.
        choice: what can be fetched; None where nothing can.

    Signals:
        entry_chosen: another `Entry` of the family.
        link_activated(str): an address.
        agreed: the person agreed to the licence.
    """

    entry_chosen = Signal(object)
    link_activated = Signal(str)
    agreed = Signal()

    def __init__(
        self,
        theme: Theme,
        background: Background,
        fitting: FitSource,
        entry: Entry,
        family: Sequence[Entry],
        *,
        has_agreed: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.entry = entry
        self.choice: OfferChoice | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._add_origin()
        self._add_chips()
        self._add_text()
        self._words_end = self._column.count()
        if len(family) > 1:
            self._add_family(family)
        offers = offers_of_entry(entry, fitting) if entry.status == "ready" else ()
        if offers:
            question = None if has_agreed or not entry.licence.accept else self._make_question()
            self.choice = OfferChoice(theme, background, offers, entry.context, question)
            self._column.addWidget(self.choice)
        else:
            self._add_obstacle()
        self._column.addSpacing(20)
        licence = LicenceView(theme, entry.licence.id, entry.licence.url)
        licence.link_activated.connect(self.link_activated)
        self._column.addWidget(licence)
        self._column.addStretch(1)

    def put_comparison(self, comparison: QWidget) -> None:
        """Show below the name and the words which models an adapter fits."""
        self._column.insertWidget(self._words_end, comparison)
        self._column.insertSpacing(self._words_end + 1, 16)

    def _add_origin(self) -> None:
        maker = maker_of(self.entry)
        if maker:
            words = self.tr("{family} · files from {maker}")
            words = words.format(family=self.entry.family, maker=maker)
        else:
            words = self.entry.family
        if self.entry.url:
            self._column.addWidget(
                link_button(self._theme, words, partial(self.link_activated.emit, self.entry.url))
            )
        else:
            self._column.addWidget(Label(self._theme, words, "small", "text2"))
        self._column.addSpacing(12)

    def _add_chips(self) -> None:
        entry = self.entry
        words = [kind_words(entry), *map(capability_words, entry.capabilities)]
        if entry.parameters:
            words.append(parameter_words(entry.parameters))
        if entry.context:
            length = context_words(entry.context)
            words.append(self.tr("{length} context").format(length=length))
        chips = [Chip(self._theme, word) for word in words if word]
        if chips:
            self._column.addWidget(Flow(chips))
            self._column.addSpacing(12)

    def _add_text(self) -> None:
        entry = self.entry
        self._column.addWidget(Paragraph(self._theme, _sentence(entry.summary), role="text"))
        if entry.showed:
            self._column.addSpacing(8)
            lead = f"{full_day_words(entry.published)}." if entry.published else ""
            self._column.addWidget(Paragraph(self._theme, _sentence(entry.showed), lead=lead))
        if entry.base:
            self._column.addSpacing(8)
            words = self.tr("Made from {base}.").format(base=entry.base)
            self._column.addWidget(Paragraph(self._theme, words, "small"))
        if entry.projector is not None:
            self._column.addSpacing(8)
            words = self.tr("The projector, by which it sees, comes along.")
            self._column.addWidget(Paragraph(self._theme, words, "small"))
        self._column.addSpacing(16)

    def _add_family(self, family: Sequence[Entry]) -> None:
        """The other sizes, one press away; in a menu where they are many."""
        if len(family) > _MOST_CHIPS:
            box = ComboBox(self._theme, self.tr("Which of the family"))
            for entry in family:
                box.addItem(entry.name, entry.id)
            box.select(self.entry.id)
            box.activated.connect(partial(self._choose_of, tuple(family)))
            self._column.addWidget(box)
        else:
            self._column.addWidget(Flow(self._family_chips(family)))
        self._column.addSpacing(16)

    def _family_chips(self, family: Sequence[Entry]) -> list[QWidget]:
        group = QButtonGroup(self)
        chips: list[QWidget] = []
        for entry in family:
            chip = FilterChip(self._theme, _short_name(entry))
            chip.setAccessibleName(entry.name)
            chip.setToolTip(plain_tooltip(entry.name))
            chip.setChecked(entry.id == self.entry.id)
            chip.clicked.connect(partial(self.entry_chosen.emit, entry))
            group.addButton(chip)
            chips.append(chip)
        return chips

    def _choose_of(self, family: tuple[Entry, ...], place: int) -> None:
        if family[place].id != self.entry.id:
            self.entry_chosen.emit(family[place])

    def _make_question(self) -> LicenceQuestion:
        licence = self.entry.licence
        question = LicenceQuestion(self._theme, self.entry.name, licence.id, licence.url)
        question.agreed.connect(self.agreed)
        question.link_activated.connect(self.link_activated)
        return question

    def _add_obstacle(self) -> None:
        entry = self.entry
        if entry.status == "needs_conversion":
            title = self.tr("It has to be converted first.")
        elif entry.status == "reference_only":
            title = self.tr("It can't be run here.")
        else:
            title = self.tr("There is no file of it that could be fetched.")
        actions = []
        if entry.url:
            page = Button(self._theme, self.tr("Open its page"), icon="arrow-square-out")
            page.clicked.connect(partial(self.link_activated.emit, entry.url))
            actions.append(page)
        notice = Notice(self._theme, "info", title, entry.obstacle, actions)
        self._column.addWidget(notice)


def link_button(theme: Theme, words: str, act: object) -> QWidget:
    """Words that lead out of the program, on the left edge."""
    button = Button(theme, words, "link", "arrow-square-out")
    button.clicked.connect(act)
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(button)
    row.addStretch(1)
    return holder


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?" else f"{text}."


def _short_name(entry: Entry) -> str:
    """What tells it from its family: “13B”, “Distill Qwen 7B”."""
    rest = entry.name.removeprefix(entry.family).strip(" -")
    return rest or entry.name
