"""The models on this computer, and how to get more of them."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import Problem
from catalog.downloads.fetch import DownloadProgress
from catalog.entries import Entry
from catalog.library import InstalledModel, LibraryProblem
from ui.kit import Button, Card, CardPage, EmptyState, Notice
from ui.model_files import ask_for_model_file, dropped_model_file
from ui.model_rows import ModelRow, ProblemRow, StarterRow
from ui.theme import Theme


class ModelsPage(CardPage):
    """Lists the installed models; offers the starter model where it is missing.

    Signals:
        chat_requested: chat with that `InstalledModel`.
        remove_requested: remove that `InstalledModel`; the person has been asked.
        import_requested: add the model file at that `Path`.
        get_requested, cancel_requested: fetch the starter model, stop fetching it.
    """

    chat_requested = Signal(object)
    remove_requested = Signal(object)
    import_requested = Signal(object)
    get_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, theme: Theme, starter: Entry, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("ModelsPage", "Models on this computer")
        super().__init__(theme, title, parent=parent)
        self._starter = starter
        import_file = Button(theme, self.tr("Use a model file…"), icon="file-arrow-up")
        import_file.clicked.connect(self.choose_file)
        self.bar.addWidget(import_file)
        self._failure = Notice(theme, "danger", "")
        self._failure.hide()
        self._starter_row = StarterRow(theme, starter)
        self._starter_row.get_requested.connect(self.get_requested)
        self._starter_row.cancel_requested.connect(self.cancel_requested)
        self._starter_card = Card(theme)
        self._starter_card.add_row(self._starter_row)
        self._list = QWidget()
        self._list_column = QVBoxLayout(self._list)
        self._list_column.setContentsMargins(0, 0, 0, 0)
        self._list_column.setSpacing(20)
        self.column.setSpacing(20)
        self.column.addWidget(self._failure)
        self.column.addWidget(self._list)
        self.column.addWidget(self._starter_card)
        self.column.addStretch(1)
        self.setAcceptDrops(True)

    def show_models(
        self, models: Sequence[InstalledModel], problems: Sequence[LibraryProblem] = ()
    ) -> None:
        """Show what the library holds now."""
        self._clear()
        if models:
            self._add_models(models)
        else:
            self._add_empty_state()
        if problems:
            card = Card(self.theme)
            for problem in problems:
                card.add_row(ProblemRow(self.theme, problem))
            self._list_column.addWidget(card)
        here = any(model.entry and model.entry.id == self._starter.id for model in models)
        self._starter_card.setVisible(not here)

    def show_progress(self, progress: DownloadProgress) -> None:
        """How far the starter model has got."""
        self._failure.hide()
        self._starter_row.show_progress(progress)

    def show_idle(self, partial_bytes: int = 0) -> None:
        """Nothing is being fetched; `partial_bytes` of the starter model are here already."""
        self._starter_row.show_idle(partial_bytes)

    def show_failed(self, problem: Problem, partial_bytes: int = 0) -> None:
        """Say why a model could not be fetched, added or removed."""
        self._starter_row.show_idle(partial_bytes)
        self._failure.set_words(problem.what, f"{problem.why} {problem.fix}".strip())
        self._failure.show()
        self.reveal(self._failure)

    def choose_file(self) -> None:
        """Ask for a model file."""
        self._failure.hide()
        ask_for_model_file(self, self._choose)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_model_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_model_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.import_requested.emit(path)

    def _choose(self, path: str) -> None:
        self.import_requested.emit(Path(path))

    def _add_models(self, models: Sequence[InstalledModel]) -> None:
        card = Card(self.theme)
        for model in models:
            row = ModelRow(self.theme, model)
            row.chat_requested.connect(self.chat_requested)
            row.remove_requested.connect(self.remove_requested)
            card.add_row(row)
        self._list_column.addWidget(card)
        self._starter_row.follow(row.last_stop)

    def _add_empty_state(self) -> None:
        empty = EmptyState(
            self.theme,
            "cube",
            self.tr("No models yet"),
            self.tr(
                "Get the small one below to begin with, or use a GGUF file that you have. "
                "Drop it here, or choose it."
            ),
        )
        self._list_column.addWidget(empty, 0, Qt.AlignmentFlag.AlignHCenter)

    def _clear(self) -> None:
        while (item := self._list_column.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
