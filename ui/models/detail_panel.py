"""The panel at the side: what is known of one entry or repository, and what can be done with it."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import Problem, problem_from
from app.machine import Machine
from catalog.catalogues.entries import Collection, Entry
from catalog.downloads.wanted import DownloadState
from catalog.hub.records import FoundRepository, Repository
from catalog.library import InstalledModel
from ui.background import Background, Cancelled, Task
from ui.chat.links import ask_before_opening
from ui.kit import Button, ElidedLabel, IconButton, Meter, Notice, Panel, Paragraph
from ui.kit.escape import keep_escape
from ui.kit.steady_scroll import SteadyScroll
from ui.messages.formats import OUT
from ui.messages.mathematics import Formulas
from ui.models.adapter_comparison import AdapterComparison, ReadHeader
from ui.models.detail_choice import OfferChoice
from ui.models.detail_entry import EntryDetail
from ui.models.detail_repository import RepositoryDetail
from ui.models.discover_entries import has_changed
from ui.models.discover_services import AdapterSource, FitSource, HubSource
from ui.models.hub_card import ReadableCard, readable_card
from ui.theme import Theme

Subject = Entry | FoundRepository

_MARGIN = 24


class DetailPanel(Panel):
    """Shows one subject at a time. Give it the width; 360 is what it is made for.

    Signals:
        download_requested: that `DownloadRequest`.
        chat_requested: with that `InstalledModel`.
        pause_requested(str): the download of that id.
        settings_requested(str): open this section of the settings.
        show_downloads_requested
        subject_chosen: the panel went to another `Entry` by itself.
        search_requested(str): look for this in Discover.
        convert_requested(str, str): convert the adapter in this repository, which was trained on
            that model.
        closed: the person wants to see nothing at the side.
    """

    download_requested = Signal(object)
    chat_requested = Signal(object)
    pause_requested = Signal(str)
    settings_requested = Signal(str)
    show_downloads_requested = Signal()
    subject_chosen = Signal(object)
    search_requested = Signal(str)
    convert_requested = Signal(str, str)
    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        background: Background,
        hub: HubSource,
        fitting: FitSource,
        adapters: AdapterSource,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "panel", "l", parent)
        self._theme = theme
        self._background = background
        self._hub = hub
        self._fitting = fitting
        self._adapters = adapters
        self._formulas = Formulas(background, self)
        self._entries: tuple[Entry, ...] = ()
        self._models: Sequence[InstalledModel] = ()
        self._states: Sequence[DownloadState] = ()
        self._machine: Machine | None = None
        self._asking: Task | None = None
        self._asked: FoundRepository | None = None
        self._left = False
        self._agreed: set[str] = set()
        self._subject: Subject | None = None
        self._detail: EntryDetail | RepositoryDetail | None = None
        self._comparison: AdapterComparison | None = None
        self._name = ElidedLabel(theme, "", "heading")
        self._close = IconButton(theme, "x", self.tr("Close"), box=32)
        self._close.clicked.connect(self.closed)
        self._scroll = SteadyScroll()
        self._lay_out()

    @property
    def subject(self) -> Subject | None:
        """What is shown."""
        return self._subject

    def show_entries(self, entries: Sequence[Entry], collections: Sequence[Collection]) -> None:
        """What the catalogues hold: the other sizes of a family come from there."""
        self._entries = tuple(entries)

    def show_installed(self, models: Sequence[InstalledModel]) -> None:
        others = models != self._models
        self._models = models
        if choice := self._choice():
            choice.show_installed(models)
        if others and self._comparison is not None:
            self._comparison.compare()

    def show_downloads(self, states: Sequence[DownloadState]) -> None:
        self._states = states
        if choice := self._choice():
            choice.show_downloads(states)

    def show_machine(self, machine: Machine) -> None:
        """What the computer can hold may be another now."""
        if self._machine is not None and not has_changed(self._machine, machine):
            return
        self._machine = machine
        if choice := self._choice():
            choice.show_machine(machine.disk_free)

    def show_subject(self, subject: Subject | None) -> None:
        """Show an entry or a repository; None shows nothing."""
        if self._asking is not None:
            self._asking.cancel()
        self._asked = None
        self._subject = subject
        match subject:
            case Entry():
                self._show_entry(subject)
            case FoundRepository():
                self._name.setText(subject.name)
                self._ask_hub(subject)
            case None:
                self._name.setText("")
                self._put(QWidget())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._asking is not None and self._asked is not None and not event.spontaneous():
            self._asking.cancel()
            self._left = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._left and self._asked is not None:
            self._ask_hub(self._asked)

    def take_focus(self) -> None:
        self._close.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        return keep_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(_MARGIN, 6, 15, 0)
        head.setSpacing(8)
        head.addWidget(self._name, 1)
        head.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._scroll, 1)

    def _put(self, content: QWidget) -> None:
        """Show this below the name, scrolled to its beginning."""
        self._comparison = self._make_comparison(content)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        edge = _MARGIN - OUT if isinstance(content, RepositoryDetail) else _MARGIN
        layout.setContentsMargins(edge - 1, 8, edge, _MARGIN)
        layout.addWidget(content)
        self._detail = content if isinstance(content, EntryDetail | RepositoryDetail) else None
        self._scroll.show_content(holder, layout)
        self._connect_choice()

    def _make_comparison(self, content: QWidget) -> AdapterComparison | None:
        """Where an adapter is shown: which installed models it fits, before it is fetched."""
        read: ReadHeader
        match content:
            case EntryDetail() if content.entry.kind == "adapter" and content.choice is not None:
                artifact = content.entry.weights[0]
                read = partial(self._fitting.header_of_artifact, artifact)
            case RepositoryDetail() if content.repository.adapters:
                group = content.repository.adapters[0]
                read = partial(self._fitting.header_of_hub_file, group)
            case _:
                return None
        comparison = AdapterComparison(self._theme, self._background, self._adapters, read)
        content.put_comparison(comparison)
        return comparison

    def _choice(self) -> OfferChoice | None:
        return self._detail.choice if self._detail is not None else None

    def _connect_choice(self) -> None:
        choice = self._choice()
        if choice is None:
            return
        choice.download_requested.connect(self.download_requested)
        choice.chat_requested.connect(self.chat_requested)
        choice.pause_requested.connect(self.pause_requested)
        choice.show_downloads_requested.connect(self.show_downloads_requested)
        choice.show_installed(self._models)
        choice.show_downloads(self._states)
        if self._machine is not None:
            choice.show_disk(self._machine.disk_free)

    # An entry

    def _show_entry(self, entry: Entry) -> None:
        self._name.setText(entry.name)
        family = [
            each
            for each in self._entries
            if (each.family, each.collection) == (entry.family, entry.collection)
        ]
        detail = EntryDetail(
            self._theme,
            self._background,
            self._fitting,
            entry,
            family,
            has_agreed=entry.id in self._agreed,
        )
        detail.entry_chosen.connect(self._go_to)
        detail.link_activated.connect(self._open_link)
        detail.agreed.connect(partial(self._agreed.add, entry.id))
        self._put(detail)

    def _go_to(self, entry: Entry) -> None:
        self.show_subject(entry)
        self.subject_chosen.emit(entry)

    # A repository

    def _ask_hub(self, found: FoundRepository) -> None:
        self._asked, self._left = found, False
        waiting = QWidget()
        column = QVBoxLayout(waiting)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(Paragraph(self._theme, self.tr("Asking Hugging Face…")))
        meter = Meter(self._theme, self.tr("Asking Hugging Face…"))
        meter.set_fraction(None)
        column.addWidget(meter)
        column.addStretch(1)
        self._put(waiting)
        self._asking = self._background.look_up(
            self,
            partial(_fetched, self._hub, found.repo),
            self._take_repository,
            partial(self._fail, found),
        )

    def _take_repository(self, fetched: tuple[Repository, ReadableCard]) -> None:
        self._asked = None
        repository, card = fetched
        detail = RepositoryDetail(
            self._theme, self._background, self._fitting, self._formulas, repository, card
        )
        detail.choice_changed.connect(self._connect_choice)
        detail.search_requested.connect(self.search_requested)
        detail.convert_requested.connect(self.convert_requested)
        detail.settings_requested.connect(self.settings_requested)
        detail.link_activated.connect(self._open_link)
        self._put(detail)

    def _fail(self, found: FoundRepository, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._asked = None
        self._put(self._failure(found, problem))

    def _failure(self, found: FoundRepository, problem: Problem) -> QWidget:
        again = Button(self._theme, self.tr("Try again"), icon="arrow-clockwise")
        again.clicked.connect(partial(self.show_subject, found))
        text = " ".join(part for part in (problem.why, problem.fix) if part)
        notice = Notice(self._theme, "danger", problem.what, text, (again,))
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(notice)
        column.addStretch(1)
        return holder

    def _open_link(self, address: str) -> None:
        ask_before_opening(self, address)


def _fetched(hub: HubSource, repo: str, cancelled: Cancelled) -> tuple[Repository, ReadableCard]:
    repository = hub.repository(repo, cancelled=cancelled)
    return repository, readable_card(repository.card)
