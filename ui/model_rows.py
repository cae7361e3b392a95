"""The rows of the models page: a model, a file that can't be used, the starter model."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text, tokens_text
from catalog.downloads.fetch import DownloadProgress
from catalog.entries import Entry
from catalog.library import InstalledModel, LibraryProblem
from ui.download_bar import DownloadBar
from ui.kit import Button, Chip, ElidedLabel, IconButton, Label, Paragraph, Tile
from ui.theme import Theme

_GET = "download-simple"


class ModelRow(QWidget):
    """An installed model, with its actions. Removing asks once more, in the row itself.

    Signals:
        chat_requested, remove_requested: with the `InstalledModel`.
    """

    chat_requested = Signal(object)
    remove_requested = Signal(object)

    def __init__(self, theme: Theme, model: InstalledModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
        self._question = self._make_question()
        self._question.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addLayout(self._make_line())
        column.addWidget(self._question)

    @property
    def last_stop(self) -> QWidget:
        """Where the Tab key leaves the row."""
        return self._keep

    def _make_line(self) -> QHBoxLayout:
        theme, model = self._theme, self._model
        title = QHBoxLayout()
        title.setSpacing(8)
        title.addWidget(Label(theme, model.name, "strong"))
        title.addWidget(Label(theme, model.quant, role="text2"))
        if not model.managed:
            title.addWidget(Chip(theme, self.tr("In place"), "outline"))
        if not model.has_template:
            title.addWidget(Chip(theme, self.tr("Completes text"), "plain"))
        title.addStretch(1)
        facts = [bytes_text(model.size_bytes, digits=2)]
        if model.context_length:
            facts.append(tokens_text(model.context_length))
        facts.append(str(model.path.parent))
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addLayout(title)
        words.addWidget(ElidedLabel(theme, " · ".join(facts), "small", "text3", tabular=True))
        chat = Button(theme, self.tr("Chat"), icon="chat-circle-text")
        chat.setAccessibleName(self.tr("Chat with {name}").format(name=model.name))
        chat.clicked.connect(self._request_chat)
        name = self.tr("Remove {name}…").format(name=model.name)
        self._remove = IconButton(theme, "trash", name, box=32)
        self._remove.clicked.connect(self._ask)
        line = QHBoxLayout()
        line.setSpacing(16)
        line.addWidget(Tile(theme, "cube"))
        line.addLayout(words, 1)
        line.addWidget(chat)
        line.addSpacing(-8)
        line.addWidget(self._remove)
        return line

    def _make_question(self) -> QWidget:
        theme, model = self._theme, self._model
        if model.managed:
            size = bytes_text(model.size_bytes, digits=2)
            ask = self.tr("Delete this model? Its file of {size} goes for good.").format(size=size)
            yes = self.tr("Delete the file")
        else:
            ask = self.tr("Forget this model? Its file stays where it is.")
            yes = self.tr("Forget it")
        question = QWidget()
        line = QHBoxLayout(question)
        line.setContentsMargins(56, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(Label(theme, ask), 1)
        confirm = Button(theme, yes, "danger" if model.managed else "normal")
        confirm.clicked.connect(self._confirm)
        self._keep = Button(theme, self.tr("Keep it"), "ghost")
        self._keep.clicked.connect(self._dismiss)
        line.addWidget(confirm)
        line.addWidget(self._keep)
        return question

    def _request_chat(self) -> None:
        self.chat_requested.emit(self._model)

    def _ask(self) -> None:
        self._question.show()
        self._keep.setFocus()

    def _dismiss(self) -> None:
        self._question.hide()
        self._remove.setFocus()

    def _confirm(self) -> None:
        self._question.hide()
        self.remove_requested.emit(self._model)


class StarterRow(QWidget):
    """The starter model while it isn't here: an offer, or how far it has got.

    Signals:
        get_requested, cancel_requested: fetch it, stop fetching it.
    """

    get_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, theme: Theme, starter: Entry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        artifact = starter.artifacts[0]
        self._size = bytes_text(artifact.download_bytes or artifact.size_bytes or 0)
        self._licence = starter.licence.id
        title = QHBoxLayout()
        title.setSpacing(8)
        title.addWidget(Label(theme, starter.name, "strong"))
        title.addWidget(Label(theme, artifact.quant, role="text2"))
        title.addStretch(1)
        self._facts = Label(theme, "", "small", "text3", tabular=True)
        self._bar = DownloadBar(theme)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addLayout(title)
        words.addWidget(Paragraph(theme, starter.summary, "small"))
        words.addWidget(self._facts)
        words.addWidget(self._bar)
        self._get = Button(theme, self.tr("Get"), "primary", icon=_GET)
        self._get.clicked.connect(self.get_requested)
        self._cancel = Button(theme, self.tr("Cancel"))
        self._cancel.clicked.connect(self.cancel_requested)
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 14, 16, 14)
        line.setSpacing(16)
        line.addWidget(Tile(theme, "cube", "accent_text", "accent_soft"))
        line.addLayout(words, 1)
        line.addWidget(self._get)
        line.addWidget(self._cancel)
        self.show_idle()

    def follow(self, stop: QWidget) -> None:
        """Have the Tab key come here from there."""
        QWidget.setTabOrder(stop, self._get)
        QWidget.setTabOrder(self._get, self._cancel)

    def show_idle(self, partial_bytes: int = 0) -> None:
        """Offer it; `partial_bytes` have been fetched before."""
        if partial_bytes:
            here = self.tr("{done} of {total} are here already.")
            self._facts.setText(here.format(done=bytes_text(partial_bytes), total=self._size))
        else:
            self._facts.setText(f"{self._size} · {self._licence}")
        self._get.set_words(self.tr("Resume") if partial_bytes else self.tr("Get"), _GET)
        self._show(fetching=False)

    def show_progress(self, progress: DownloadProgress) -> None:
        self._bar.show_progress(progress)
        self._show(fetching=True)

    def _show(self, *, fetching: bool) -> None:
        self._facts.setVisible(not fetching)
        self._get.setVisible(not fetching)
        self._bar.setVisible(fetching)
        self._cancel.setVisible(fetching)


class ProblemRow(QWidget):
    """A file in the models folder that can't be used, and why."""

    def __init__(
        self, theme: Theme, problem: LibraryProblem, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(ElidedLabel(theme, problem.path.name, "strong"))
        words.addWidget(Paragraph(theme, str(problem.error), "small"))
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 14, 16, 14)
        line.setSpacing(16)
        line.addWidget(Tile(theme, "warning", "danger", "danger_soft"))
        line.addLayout(words, 1)
