"""The panel of an installed model: what it is, where it lies, and what can be done with it."""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.errors import Problem
from app.formatting import bytes_text
from catalog.fit.fit import Fit
from catalog.library import InstalledModel, LibraryProblem
from catalog.library.content import Verification
from catalog.library.details import ModelDetails
from ui.chat.inspector_section import OUT
from ui.kit import Button, Chip, ElidedLabel, Hairline, IconButton, Label, Panel, Paragraph
from ui.kit.steady_scroll import SteadyScroll
from ui.models.adapter_part import AdapterPart
from ui.models.detail_memory import MemoryView
from ui.models.fact_lines import FactLines
from ui.models.fit_words import CHIP_KINDS, verdict_words
from ui.models.installed_list import kind_words, place_title
from ui.models.make_buttons import MakeButtons
from ui.models.model_checksum import ModelChecksum
from ui.models.model_facts import fact_lines
from ui.models.model_profiles import ModelProfiles
from ui.theme import Theme

WIDTH = 360
_EDGE = 24


class ModelDetailsPanel(Panel):
    """Shows one model at a time.

    Attributes:
        memory, checksum, profiles, make, adapter: the parts that have signals of their own.

    Signals:
        closed: the person wants the panel away.
        chat_requested: chat with this `InstalledModel`.
        remove_requested: remove this `InstalledModel`, for good or not; the person has been asked.
        folder_requested: open this `Path` in the platform's file browser.
        copy_requested: put this text on the clipboard.
    """

    closed = Signal()
    chat_requested = Signal(object)
    remove_requested = Signal(object, bool)
    folder_requested = Signal(object)
    copy_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "l", parent)
        self._theme = theme
        self._row: InstalledModel | LibraryProblem | None = None
        self._for_good = False
        self._title = ElidedLabel(theme, "", "heading")
        self._close = IconButton(theme, "x", self.tr("Close"), box=32)
        self._close.clicked.connect(self.closed)
        self._subtitle = Paragraph(theme)
        self._chat = Button(theme, self.tr("Chat"), "primary", "chat-circle-text")
        self._chat.setFixedHeight(36)
        self._chat.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._chat.clicked.connect(self._request_chat)
        self._facts = FactLines(theme)
        self._verdict = Chip(theme, "", "ok")
        self.memory = MemoryView(theme)
        self._path = Paragraph(theme, kind="small")
        self.checksum = ModelChecksum(theme)
        self.profiles = ModelProfiles(theme)
        self.make = MakeButtons(theme)
        self.adapter = AdapterPart(theme)
        self._belongs = Paragraph(theme, kind="small")
        self._remove = Button(theme, self.tr("Remove…"), "danger", "trash")
        self._remove.clicked.connect(self._ask)
        self._ask_words = Paragraph(theme)
        self._confirm = Button(theme, "", "danger")
        self._confirm.clicked.connect(self._request_remove)
        self._keep = Button(theme, self.tr("Keep it"), "ghost")
        self._keep.clicked.connect(self._dismiss)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(self.tr("Details"))
        self._lay_out()

    @property
    def row(self) -> InstalledModel | LibraryProblem | None:
        """What is shown."""
        return self._row

    def show_model(self, model: InstalledModel, fit: Fit | None) -> None:
        """Show what is known at once; `show_details` completes it."""
        other = not isinstance(self._row, InstalledModel) or self._row.path != model.path
        self._row = model
        self._title.setText(model.name)
        words = [model.quant, kind_words(model), place_title(model.place)]
        self._subtitle.set_text(" · ".join(word for word in words if word))
        self._subtitle.set_role("text2")
        self._chat.setVisible(model.writes)
        self._path.set_text(str(model.path))
        self.adapter.setVisible(model.kind == "adapter")
        self.memory.setVisible(model.kind != "adapter")
        self.make.setVisible(model.writes)
        self.make.show_model(model)
        if other:
            self.adapter.show_reading()
            self.memory.offer_contexts(model.context_length)
            self.show_fit(fit)
            self._facts.show_lines(fact_lines(model, None))
            self.checksum.show_checksum(model.sha256, "")
        self._model_parts.show()
        self.profiles.setVisible(model.writes)
        self._profile_line.setVisible(model.writes)
        self._show_removal(model)

    def show_problem_file(self, problem: LibraryProblem) -> None:
        """Show a file that can't be used, and why."""
        self._row = problem
        self._title.setText(problem.path.name)
        self._subtitle.set_text(f"{problem.error.why} {problem.error.fix}", problem.error.what)
        self._chat.hide()
        self._verdict.hide()
        self._path.set_text(str(problem.path))
        self._model_parts.hide()
        self.profiles.hide()
        self._profile_line.hide()
        self.make.hide()
        self.adapter.hide()
        self._removal.hide()

    def show_details(self, details: ModelDetails) -> None:
        """All that the file and the catalogue say."""
        if isinstance(self._row, InstalledModel):
            self._facts.show_lines(fact_lines(self._row, details))
            self.checksum.show_checksum(details.sha256, details.sha256_from)
            self._path.set_text("\n".join(str(path) for path in details.paths))

    def show_fit(self, fit: Fit | None) -> None:
        """Whether it fits; None while that is not known."""
        self._verdict.setVisible(fit is not None)
        quant = self._row.quant if isinstance(self._row, InstalledModel) else ""
        self.memory.show_fit(quant, fit)
        if fit is not None:
            self._verdict.set_words(verdict_words(fit), CHIP_KINDS[fit.verdict])

    def show_verification(self, outcome: Verification) -> None:
        self.checksum.show_verification(outcome)

    def show_problem(self, problem: Problem) -> None:
        """Why it could not be removed."""
        self._belongs.set_role("danger")
        self._belongs.set_text(problem.sentence())
        self._belongs.show()
        self._question.hide()

    def show_no_trash(self, problem: Problem) -> None:
        """It could not be put into the trash: offer to delete it for good."""
        self._for_good = True
        self._ask_words.set_text(f"{problem.what} {problem.why}".strip())
        self._confirm.set_words(self.tr("Delete it for good"))
        self._ask()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(_EDGE - 1, 12, 12, 0)
        head.addWidget(self._title, 1)
        head.addWidget(self._close)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(_EDGE - 1 - OUT, 4, _EDGE, _EDGE)
        column.setSpacing(16)
        upper, lower = QVBoxLayout(), QVBoxLayout()
        for part in (upper, lower):
            part.setContentsMargins(OUT, 0, 0, 0)
            part.setSpacing(16)
        about = QHBoxLayout()
        about.setSpacing(8)
        about.addWidget(self._subtitle, 1)
        about.addWidget(self._verdict, 0, Qt.AlignmentFlag.AlignTop)
        upper.addLayout(about)
        upper.addWidget(self._chat)
        self._model_parts = QWidget()
        parts = QVBoxLayout(self._model_parts)
        parts.setContentsMargins(0, 0, 0, 0)
        parts.setSpacing(16)
        parts.addWidget(self.adapter)
        parts.addWidget(self._facts)
        parts.addWidget(self.memory)
        parts.addWidget(Hairline(self._theme))
        parts.addWidget(self.checksum)
        upper.addWidget(self._model_parts)
        upper.addWidget(Hairline(self._theme))
        upper.addWidget(self._make_file_part())
        self._profile_line = Hairline(self._theme)
        upper.addWidget(self._profile_line)
        lower.addWidget(self.make)
        self._removal = self._make_removal()
        lower.addWidget(self._removal)
        column.addLayout(upper)
        column.addWidget(self.profiles)
        column.addLayout(lower)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        # One pixel for the hairline at the left.
        outer.setContentsMargins(1, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(head)
        self._scroll = SteadyScroll()
        self._scroll.show_content(body, column)
        outer.addWidget(self._scroll, 1)

    def _make_file_part(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(Label(self._theme, self.tr("Where it lies"), "strong"))
        column.addWidget(self._path)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        show = Button(self._theme, self.tr("Show in folder"), small=True)
        show.clicked.connect(self._request_folder)
        copy = Button(self._theme, self.tr("Copy the path"), "ghost", small=True)
        copy.clicked.connect(self._request_copy)
        buttons.addWidget(show)
        buttons.addWidget(copy)
        buttons.addStretch(1)
        column.addSpacing(4)
        column.addLayout(buttons)
        self.checksum.copy_requested.connect(self.copy_requested)
        return part

    def _make_removal(self) -> QWidget:
        self._question = QWidget()
        asked = QVBoxLayout(self._question)
        asked.setContentsMargins(0, 0, 0, 0)
        asked.setSpacing(8)
        asked.addWidget(self._ask_words)
        answers = QHBoxLayout()
        answers.setSpacing(4)
        answers.addWidget(self._confirm)
        answers.addWidget(self._keep)
        answers.addStretch(1)
        asked.addLayout(answers)
        removal = QWidget()
        column = QVBoxLayout(removal)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(Hairline(self._theme))
        column.addWidget(self._belongs)
        column.addWidget(self._remove, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._question)
        return removal

    def _show_removal(self, model: InstalledModel) -> None:
        self._removal.show()
        self._question.hide()
        self._for_good = False
        ours = model.managed or model.place == "added"
        self._remove.setVisible(ours)
        self._belongs.setVisible(not ours)
        self._belongs.set_role("text2")
        if model.place == "folder":
            words = self.tr("It lies in a folder of yours, which is only looked into.")
        else:
            words = self.tr("It belongs to {program}. Remove it there.")
        self._belongs.set_text(words.format(program=place_title(model.place)))
        if model.managed:
            size = bytes_text(model.size_bytes, digits=2)
            ask = self.tr("Put it into the trash? That frees {size} once the trash is emptied.")
            self._ask_words.set_text(ask.format(size=size))
            self._confirm.set_words(self.tr("Put it into the trash"))
        else:
            self._ask_words.set_text(self.tr("Forget it? The file stays where it is."))
            self._confirm.set_words(self.tr("Forget it"))

    def _ask(self) -> None:
        self._remove.hide()
        self._belongs.hide()
        self._question.show()
        self._keep.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self, self._reveal_question)  # the layout makes room first

    def _reveal_question(self) -> None:
        self._scroll.ensureWidgetVisible(self._question)

    def _dismiss(self) -> None:
        self._question.hide()
        self._remove.show()
        self._remove.setFocus(Qt.FocusReason.OtherFocusReason)

    def _request_chat(self) -> None:
        self.chat_requested.emit(self._row)

    def _request_remove(self) -> None:
        self._question.hide()
        self._remove.show()
        self.remove_requested.emit(self._row, self._for_good)

    def _request_folder(self) -> None:
        if self._row is not None:
            self.folder_requested.emit(self._row.path.parent)

    def _request_copy(self) -> None:
        if self._row is not None:
            self.copy_requested.emit(str(Path(self._row.path)))
